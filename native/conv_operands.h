// What a block multiplies, in the precision that it is asked for.
#pragma once

#include <ATen/ATen.h>

#include "conv_bfloat16.h"

namespace sqa {

inline at::Tensor roundedToBfloat16(const at::Tensor& tensor) { return tensor.to(at::kBFloat16).to(at::kFloat); }

// Where bfloat16 is wanted and there are no kernels for it, float32's multiply the rounded numbers: their products are exact.
struct Operands {
  at::Tensor input, weight;
  bool rounded;
  const Bfloat16Kernels* kernels;  // null for those of float32

  Operands(const BlockShape& shape, const at::Tensor& x, const at::Tensor& w, bool bfloat16)
      : input(x), weight(w), rounded(bfloat16 && takesBfloat16(shape.in)), kernels(rounded ? bfloat16Kernels() : nullptr) {
    if (!rounded || kernels != nullptr) return;
    input = roundedToBfloat16(x);
    weight = roundedToBfloat16(w);
  }
};

}  // namespace sqa
