// The backward pass of block.h.
#pragma once

#include <ATen/ATen.h>

#include <array>

namespace sqa {

struct BlockGradients {
  at::Tensor input, weight, bias;  // undefined where not wanted
};

// Gradients by input, weight and bias, as far as wanted, from the gradient of the pooled output and the codes
// (N, windows, out) that the forward pass kept. In bfloat16 the gradient is rounded as the other operands
// are, but for the bias.
BlockGradients backwardBlock(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& codes,
                             const at::Tensor& outputGradient, const std::array<bool, 3>& wanted,
                             bool bfloat16);

// The same through libtorch's operators, so that gradients of the gradients can be taken.
BlockGradients differentiableBackward(const at::Tensor& input, const at::Tensor& weight,
                                      const at::Tensor& codes, const at::Tensor& outputGradient,
                                      const std::array<bool, 3>& wanted, bool bfloat16);

}  // namespace sqa
