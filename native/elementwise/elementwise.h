// What kernels have in common that go through several float32 tensors on the CPU element by element.
#pragma once

#include <ATen/ATen.h>

#include <stdexcept>
#include <string>

namespace sqa {

// Enough elements for a piece of work to be worth a thread, and few enough for two threads to end together.
constexpr int64_t kElementsTaken = 1 << 14;

// Throws unless the tensor is float32 on the CPU and has the shape of `like`, which the message calls
// `whose`.
inline void checkElements(const at::Tensor& tensor, const at::Tensor& like, const char* what,
                          const char* whose) {
  if (tensor.scalar_type() != at::kFloat || !tensor.device().is_cpu() || tensor.sizes() != like.sizes()) {
    throw std::invalid_argument(std::string(what) + " must be float32 on the CPU and of " + whose + " shape");
  }
}

// The tensor's elements in the order in which they lie in the memory of `like`, of the same shape and dense;
// a copy where that is another.
inline at::Tensor laidAs(const at::Tensor& tensor, const at::Tensor& like) {
  if (tensor.strides() == like.strides()) return tensor;
  // Sides of one element may have any stride.
  if (tensor.is_contiguous() && like.is_contiguous()) return tensor;
  const auto channelsLast = at::MemoryFormat::ChannelsLast;
  if (tensor.is_contiguous(channelsLast) && like.is_contiguous(channelsLast)) return tensor;
  return at::empty_like(like).copy_(tensor);
}

}  // namespace sqa
