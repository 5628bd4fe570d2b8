#include "sgd.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "memory_order.h"
#include "parallel.h"

namespace sqa {
namespace {

// Some elements of a parameter; `v` is null without momentum.
struct Piece {
  float* p;
  const float* g;
  float* v;
  int64_t count;
};

// Enough elements for a piece to be worth a thread, and few enough for two threads to end together.
constexpr int64_t kElements = 1 << 14;

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

void check(const at::Tensor& tensor, const at::Tensor& parameter, const char* what) {
  if (tensor.scalar_type() != at::kFloat || !tensor.device().is_cpu() || tensor.sizes() != parameter.sizes()) {
    throw std::invalid_argument(std::string(what) + " must be float32 on the CPU and of its parameter's shape");
  }
}

}  // namespace

void sgdUpdate(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients,
               const std::vector<at::Tensor>& velocities, const at::Tensor& factor, const SgdOptions& options) {
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
    check(parameter, parameter, "a parameter");
    check(gradients[i], parameter, "a gradient");
    if (!parameter.is_non_overlapping_and_dense()) throw std::invalid_argument("a parameter must fill its memory");
    laid.push_back(laidAs(gradients[i], parameter));
    float* v = nullptr;
    if (!velocities.empty()) {
      check(velocities[i], parameter, "a velocity");
      if (!laidAs(velocities[i], parameter).is_same(velocities[i])) {
        throw std::invalid_argument("a velocity must lie in memory as its parameter does");
      }
      v = velocities[i].data_ptr<float>();
    }
    float* p = parameter.data_ptr<float>();
    const float* g = laid.back().data_ptr<float>();
    const int64_t elements = parameter.numel();
    for (int64_t from = 0; from < elements; from += kElements) {
      pieces.push_back({p + from, g + from, v == nullptr ? nullptr : v + from, std::min(kElements, elements - from)});
    }
  }
  const float number = *factor.data_ptr<float>();
  parallelFor(static_cast<int64_t>(pieces.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) update(pieces[i], number, options);
  });
  for (const at::Tensor& parameter : parameters) parameter.unsafeGetTensorImpl()->bump_version();
}

}  // namespace sqa
