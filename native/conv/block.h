// A convolutional block in one pass over each image: conv 3x3 (padding 1, stride 1) + bias -> ReLU -> [SQA]
// -> max-pool 2x2.
#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "quantize/quantize.h"

namespace sqa {

// Input (N, in, H, W), weight (out, in, 3, 3) and bias (out), float32 on the CPU, to (N, out, H / 2, W / 2),
// channels-last; odd sides lose their last row or column. Values and gradients are those of the separate
// operators to rounding, and the same bits for any number of threads; a gradient that ReLU or pooling stops
// is not multiplied, not even by infinity. `in` must be 1 or a multiple of 8, `out` a multiple of 8, and H
// and W 2 or more. In bfloat16 operands of products are rounded to it, and so are gradients, where `in` is a
// multiple of 16; all else stays float32.
at::Tensor convBlock(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                     const std::optional<ImageQuantization>& quantization, bool bfloat16);

}  // namespace sqa
