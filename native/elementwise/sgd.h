// Stochastic gradient descent in one pass over memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace sqa {

struct SgdOptions {
  float momentum;
  float weightDecay;
  bool nesterov;
};

// d = g + decay * p; v = momentum * v + d; p += factor * v, or factor * (d + momentum * v) with Nesterov, for
// float32 tensors on the CPU, in place; `factor` is one number. Without momentum there are no velocities, and
// p += factor * d.
void sgdUpdate(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients,
               const std::vector<at::Tensor>& velocities, const at::Tensor& factor,
               const SgdOptions& options);

}  // namespace sqa
