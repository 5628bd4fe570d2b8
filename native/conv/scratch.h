// What forward and backward pass of a block share: a thread's buffers, kept from call to call, and how
// tensors lie in memory.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "conv/windows.h"

namespace sqa {

// Numbers at an address that no vector straddles a cache line from; what it held is lost when it grows.
template <class Number>
class AlignedBuffer {
 public:
  Number* of(int64_t count) {
    if (count > capacity_) {
      constexpr size_t kLine = 64;
      const size_t bytes = (static_cast<size_t>(count) * sizeof(Number) + kLine - 1) / kLine * kLine;
      data_.reset(static_cast<Number*>(std::aligned_alloc(kLine, bytes)));
      if (!data_) {
        capacity_ = 0;
        throw std::bad_alloc();
      }
      capacity_ = count;
    }
    return data_.get();
  }

  Number* zeroed(int64_t count) {
    Number* data = of(count);
    std::fill(data, data + count, Number{});
    return data;
  }

 private:
  struct Free {
    void operator()(Number* data) const { std::free(data); }
  };
  std::unique_ptr<Number, Free> data_;
  int64_t capacity_ = 0;
};

struct Scratch {
  AlignedBuffer<float> padded, hidden, quantized, gradient, pooledGradient;
  AlignedBuffer<uint16_t> rounded;  // the padded image in bfloat16
  std::vector<uint8_t> bytes;
  std::vector<ScaledRun> runs;
  std::vector<int32_t> counts;

  uint8_t* codes(int64_t count) {
    if (count > static_cast<int64_t>(bytes.size())) bytes.resize(count);
    return bytes.data();
  }

  static Scratch& ofThread() {
    thread_local Scratch scratch;
    return scratch;
  }
};

// The tensor in memory order (N, H, W, C); with one channel that is row-major order, whatever its strides
// say.
inline at::Tensor channelsLast(const at::Tensor& tensor) {
  return tensor.size(1) == 1 ? tensor.contiguous() : tensor.contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace sqa
