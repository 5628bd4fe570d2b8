// Draws of elements by their weights, with replacement.
#pragma once

#include <ATen/core/Tensor.h>

namespace sqa {

// Tells which elements are drawn at least once: bool (N, E) of weights (N, E), at least 0, and uniforms (N,
// R) in [0, 1), one a draw; both float32 on the CPU. A draw takes the first element whose sum of weights, up
// to and with its own, exceeds the uniform's share of the row's sum. Sums are float64. A row without such an
// element, whose sum is 0 or not finite, has its last element drawn.
at::Tensor weightedDraws(const at::Tensor& weights, const at::Tensor& uniforms);

}  // namespace sqa
