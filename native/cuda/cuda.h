// What the addon can do on a CUDA device. A build without nvcc has the same functions, which throw
// (absent.cc).
#pragma once

#include <memory>

#include "quantize/quantize.h"

namespace sqa {

// Tells whether the kernels of our own for CUDA were compiled in.
bool hasCudaKernels();

// quantizeActivation's values for activations float32 or bfloat16 on a CUDA device. Image ids may lie there,
// where one outside 0 .. 2^32 - 1 gives NaN, or on the CPU.
at::Tensor quantizeOnCuda(const at::Tensor& h, int64_t lambda, Range range, bool nearest,
                          const NoiseSource& noise, const at::Tensor& imageIds, const at::Tensor& uniforms);

// countedUniform for image ids on a CUDA device.
at::Tensor countedUniformOnCuda(const at::Tensor& imageIds, at::IntArrayRef shape, const NoiseSource& noise);

// From now on this thread's work on a device goes to a stream of its own: no graph is captured on the default
// stream.
void useOwnStream(int64_t device);

// Work on a device, recorded as a CUDA graph to be run again.
class Graph {
 public:
  virtual ~Graph() = default;
  // Ends the recording that began when the graph was made.
  virtual void end() = 0;
  virtual void replay() = 0;
};

// Begins to record what this thread does on a device, which is not done until it is replayed.
std::unique_ptr<Graph> beginGraph(int64_t device);

}  // namespace sqa
