// What a block multiplies, in the precision that it is asked for.
#pragma once

#include <ATen/ATen.h>

#include "conv/bfloat16.h"
#include "conv/scratch.h"

namespace sqa {

inline at::Tensor roundedToBfloat16(const at::Tensor& tensor) {
  return tensor.to(at::kBFloat16).to(at::kFloat);
}

// The two tensors that a block multiplies. Where bfloat16 is wanted and there are no kernels for it,
// float32's multiply the rounded numbers: their products are exact.
struct Operands {
  at::Tensor input, weight;
  bool rounded;
  const Bfloat16Kernels* kernels;  // null for those of float32

  Operands(const BlockShape& shape, const at::Tensor& x, const at::Tensor& w, bool bfloat16)
      : input(x),
        weight(w),
        rounded(bfloat16 && takesBfloat16(shape.in)),
        kernels(rounded ? bfloat16Kernels() : nullptr) {
    if (!rounded || kernels != nullptr) return;
    input = roundedToBfloat16(x);
    weight = roundedToBfloat16(w);
  }
};

// Numbers for kernels: in float32, or in bfloat16 where that is not null.
struct Numbers {
  const float* floats;
  const uint16_t* bfloat16;
};

// Makes a thread's buffer ready for any number of images, with a border of zeros.
inline void beginPadded(const BlockShape& shape, const Bfloat16Kernels* bfloat16, Scratch& scratch) {
  if (bfloat16 == nullptr) {
    scratch.padded.zeroed(shape.paddedInput());
  } else {
    scratch.rounded.zeroed(shape.paddedInput());
  }
}

// The image in that buffer, rounded where there are kernels for bfloat16.
inline Numbers padded(const BlockShape& shape, const Bfloat16Kernels* bfloat16, const float* image,
                      Scratch& scratch) {
  if (bfloat16 == nullptr) {
    copyPadded(shape, image, scratch.padded.of(0));
    return {scratch.padded.of(0), nullptr};
  }
  roundPadded(shape, *bfloat16, image, scratch.rounded.of(0));
  return {nullptr, scratch.rounded.of(0)};
}

}  // namespace sqa
