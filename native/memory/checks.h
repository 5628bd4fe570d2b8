#pragma once

#include <ATen/ATen.h>

namespace sqa {

// Throws unless a kernel of ours can read a tensor: float32, on the CPU.
inline void checkFloat(const at::Tensor& tensor, const char* name) {
  TORCH_CHECK(tensor.scalar_type() == at::kFloat && tensor.device().is_cpu(), name,
              " must be float32 on the CPU, not ", tensor.scalar_type(), " on ", tensor.device());
}

}  // namespace sqa
