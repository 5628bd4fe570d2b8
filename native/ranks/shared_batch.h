// Work of a training step that needs all ranks: gradients, and batch normalization over a batch that they
// share.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace sqa {

// Sums of tensors over all ranks, float32: views of one buffer, which is summed as a whole.
std::vector<at::Tensor> sumTensors(const std::vector<at::Tensor>& tensors);

struct BatchNormOptions {
  double momentum;
  double epsilon;
};

// Batch normalization in training over the images of all ranks, with its gradient; moves the running
// statistics.
at::Tensor sharedBatchNorm(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                           const at::Tensor& runningMean, const at::Tensor& runningVariance,
                           const BatchNormOptions& options);

}  // namespace sqa
