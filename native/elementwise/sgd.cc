#include "elementwise/sgd.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>

#include "elementwise/elementwise.h"
#include "memory/parallel.h"

namespace sqa {
namespace {

// Some elements of a parameter; `v` is null without momentum.
struct Piece {
  float* p;
  const float* g;
  float* v;
  int64_t count;
};

void update(const Piece& piece, float factor, const SgdOptions& options) {
  const auto [momentum, decay, nesterov] = options;
  float* __restrict__ p = piece.p;
  const float* __restrict__ g = piece.g;
  float* __restrict__ v = piece.v;
  if (v == nullptr) {
    for (int64_t i = 0; i < piece.count; i++) p[i] += factor * (g[i] + decay * p[i]);
  } else if (nesterov) {
    for (int64_t i = 0; i < piece.count; i++) {
      const float d = g[i] + decay * p[i];
      v[i] = momentum * v[i] + d;
      p[i] += factor * (d + momentum * v[i]);
    }
  } else {
    for (int64_t i = 0; i < piece.count; i++) {
      v[i] = momentum * v[i] + (g[i] + decay * p[i]);
      p[i] += factor * v[i];
    }
  }
}

constexpr auto kWhose = "its parameter's";

}  // namespace

void sgdUpdate(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients,
               const std::vector<at::Tensor>& velocities, const at::Tensor& factor,
               const SgdOptions& options) {
  const size_t count = parameters.size();
  if (gradients.size() != count || (velocities.size() != count && !velocities.empty())) {
    throw std::invalid_argument("an update takes a gradient and a velocity for each parameter");
  }
  if (factor.scalar_type() != at::kFloat || !factor.device().is_cpu() || factor.numel() != 1) {
    throw std::invalid_argument("the factor must be one number, float32 on the CPU");
  }
  std::vector<Piece> pieces;
  std::vector<at::Tensor> laid;
  for (size_t i = 0; i < count; i++) {
    const at::Tensor& parameter = parameters[i];
    checkElements(parameter, parameter, "a parameter", kWhose);
    checkElements(gradients[i], parameter, "a gradient", kWhose);
    if (!parameter.is_non_overlapping_and_dense())
      throw std::invalid_argument("a parameter must fill its memory");
    laid.push_back(laidAs(gradients[i], parameter));
    float* v = nullptr;
    if (!velocities.empty()) {
      checkElements(velocities[i], parameter, "a velocity", kWhose);
      if (!laidAs(velocities[i], parameter).is_same(velocities[i])) {
        throw std::invalid_argument("a velocity must lie in memory as its parameter does");
      }
      v = velocities[i].data_ptr<float>();
    }
    float* p = parameter.data_ptr<float>();
    const float* g = laid.back().data_ptr<float>();
    const int64_t elements = parameter.numel();
    for (int64_t from = 0; from < elements; from += kElementsTaken) {
      pieces.push_back(
          {p + from, g + from, v == nullptr ? nullptr : v + from, std::min(kElementsTaken, elements - from)});
    }
  }
  const float number = *factor.data_ptr<float>();
  parallelFor(static_cast<int64_t>(pieces.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) update(pieces[i], number, options);
  });
  for (const at::Tensor& parameter : parameters) parameter.unsafeGetTensorImpl()->bump_version();
}

}  // namespace sqa
