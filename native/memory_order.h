// Elements of several tensors in one order of memory, for kernels that go through them side by side.
#pragma once

#include <ATen/ATen.h>

namespace sqa {

// The tensor's elements in the order in which they lie in the memory of `like`, of the same shape and dense; a copy where that
// is another.
inline at::Tensor laidAs(const at::Tensor& tensor, const at::Tensor& like) {
  if (tensor.strides() == like.strides()) return tensor;
  // Sides of one element may have any stride.
  if (tensor.is_contiguous() && like.is_contiguous()) return tensor;
  const auto channelsLast = at::MemoryFormat::ChannelsLast;
  if (tensor.is_contiguous(channelsLast) && like.is_contiguous(channelsLast)) return tensor;
  return at::empty_like(like).copy_(tensor);
}

}  // namespace sqa
