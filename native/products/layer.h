// A convolution or linear layer with constant weights, and what follows it: bias, a residual, ReLU.
// Differentiable by its input and the residual alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>

#include "products/kernels.h"

namespace sqa {

// The way of a kernel over an image; a linear layer has a kernel of one pixel.
struct Geometry {
  int64_t kernelHeight, kernelWidth, strideY, strideX, paddingY, paddingX;
};

// Sides of the images that a layer takes and gives; a linear layer's are 1 x 1.
struct Sides {
  int64_t height, width;

  int64_t pixels() const { return height * width; }
};

// The products that a layer becomes: a row a pixel, a row a window's pixels, or tiles of 2 x 2 or 4 x 4
// outputs.
enum class Form { pixels, windows, tiles2, tiles4 };

// The form that multiplies least for images of these sides: tiles of 4 x 4 outputs for sides of 3, 4, and 7
// on. Weights packed for it take images of other sides as well. The number of images has no say: an image's
// values must not depend on its batch.
Form formFor(int64_t in, int64_t out, const Geometry& geometry, const Sides& images);

// A layer without its weights: channels in and out, the kernel's way, and the form of its products.
struct LayerShape {
  int64_t in, out;
  Geometry geometry;
  Form form;

  int64_t window() const { return geometry.kernelHeight * geometry.kernelWidth * in; }
};

// Weights (out, in, height, width), or (out, in) of a linear layer, for both directions: (matrices, panels,
// inner, panel) each.
struct PackedWeights {
  at::Tensor forward, backward;
};

// Kernels (out, in, 3, 3), float32, of a layer whose form are tiles, for one direction.
at::Tensor packTiles(const at::Tensor& kernels, Form form, bool isBackward);

// For images of about these sides.
PackedWeights packWeights(const at::Tensor& weight, const Geometry& geometry, const Sides& images);

// Sizes of the packed weights of a direction.
std::array<int64_t, 4> packedSizes(const LayerShape& shape, bool isBackward);

// ReLU(layer(input) + bias + residual); bias and residual may be undefined. Input is (N, in, H, W), or (...,
// in) of a linear layer. `weight` is what was packed, for gradients of gradients.
at::Tensor packedLayer(const at::Tensor& input, const at::Tensor& residual, const PackedWeights& weights,
                       const at::Tensor& weight, const at::Tensor& bias, int64_t in, int64_t out,
                       const Geometry& geometry, bool isLinear, bool relu);

}  // namespace sqa
