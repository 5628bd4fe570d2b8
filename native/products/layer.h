// A convolution or linear layer with constant weights, and what follows it: bias, a residual, ReLU. Differentiable by its input and the
// residual alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>

#include "products/kernels.h"

namespace sqa {

// How a kernel goes over an image; a linear layer has a kernel of one pixel.
struct Geometry {
  int64_t kernelHeight, kernelWidth, strideY, strideX, paddingY, paddingX;
};

// How a layer becomes products: a row a pixel, a row a window's pixels, or tiles with 16 matrices.
enum class Form { pixels, windows, tiles };

// What a layer is made of beside its input: channels in and out, and how the kernel goes.
struct LayerShape {
  int64_t in, out;
  Geometry geometry;

  Form form() const;
  int64_t window() const { return geometry.kernelHeight * geometry.kernelWidth * in; }
};

// Weights (out, in, height, width), or (out, in) of a linear layer, for both directions: (matrices, panels, inner, panel) each.
struct PackedWeights {
  at::Tensor forward, backward;
};

PackedWeights packWeights(const at::Tensor& weight, const Geometry& geometry);

// Sizes of the packed weights of a direction.
std::array<int64_t, 4> packedSizes(const LayerShape& shape, bool isBackward);

// ReLU(layer(input) + bias + residual); bias and residual may be undefined. Input is (N, in, H, W), or (..., in) of a linear layer.
at::Tensor packedLayer(const at::Tensor& input, const at::Tensor& residual, const PackedWeights& weights, const at::Tensor& bias,
                       const LayerShape& shape, bool isLinear, bool relu);

}  // namespace sqa
