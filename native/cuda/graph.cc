// Work on a CUDA device recorded as one graph: at::cuda::CUDAGraph, and the stream that it is recorded on.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "cuda/cuda.h"

namespace sqa {
namespace {

class DeviceGraph final : public Graph {
 public:
  explicit DeviceGraph(c10::DeviceIndex device) : device_(device) {
    const c10::cuda::CUDAGuard guard(device_);
    // Memory of graphs that are gone belongs to them until now, and cannot be had back while a capture is
    // under way.
    c10::cuda::CUDACachingAllocator::emptyCache();
    graph_.capture_begin();
    recording_ = true;
  }

  // A recording that was given up leaves the stream in order.
  ~DeviceGraph() override {
    try {
      if (recording_) end();
    } catch (const std::exception&) {
    }
  }

  void end() override {
    const c10::cuda::CUDAGuard guard(device_);
    recording_ = false;
    graph_.capture_end();
  }

  void replay() override {
    const c10::cuda::CUDAGuard guard(device_);
    graph_.replay();
  }

 private:
  c10::DeviceIndex device_;
  bool recording_ = false;
  at::cuda::CUDAGraph graph_;
};

}  // namespace

void useOwnStream(int64_t device) {
  const auto index = static_cast<c10::DeviceIndex>(device);
  const c10::cuda::CUDAGuard guard(index);
  // What was done on the default stream is ordered before all that follows.
  c10::cuda::device_synchronize();
  c10::cuda::setCurrentCUDAStream(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, index));
}

std::unique_ptr<Graph> beginGraph(int64_t device) {
  return std::make_unique<DeviceGraph>(static_cast<c10::DeviceIndex>(device));
}

}  // namespace sqa
