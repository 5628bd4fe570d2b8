// What the addon can do on a CUDA device. A build without nvcc has the same functions, which throw (cuda/absent.cc).
#pragma once

#include "quantize.h"

namespace sqa {

// Whether the kernels of our own for CUDA were compiled in.
bool hasCudaKernels();

// quantizeActivation's values for activations float32 or bfloat16 on a CUDA device. Image ids may lie there, where one outside
// 0 .. 2^32 - 1 gives NaN, or on the CPU.
at::Tensor quantizeOnCuda(const at::Tensor& h, int64_t lambda, Range range, bool nearest, const NoiseKey& key,
                          const at::Tensor& imageIds, const at::Tensor& uniforms);

// countedUniform for image ids on a CUDA device.
at::Tensor countedUniformOnCuda(const at::Tensor& imageIds, at::IntArrayRef shape, const NoiseKey& key);

}  // namespace sqa
