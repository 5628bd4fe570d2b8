// A convolution 3x3 by tiles whose weights change.
#pragma once

#include <ATen/core/Tensor.h>

namespace sqa {

// Convolution 3x3 with stride and padding 1 and without bias: (N, in, H, W) and (out, in, 3, 3) to (N, out,
// H, W), float32 on the CPU, with channels that are multiples of `tiledChannels()`. Differentiable by both,
// and again.
at::Tensor tiledConvolution(const at::Tensor& input, const at::Tensor& weight);

int64_t tiledChannels();

}  // namespace sqa
