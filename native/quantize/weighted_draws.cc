#include "quantize/weighted_draws.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "memory/checks.h"
#include "memory/parallel.h"

namespace sqa {
namespace {

// One row's sums, and where a search among them begins: a draw looks at a few elements, where a binary search
// would look all over thousands.
class Row {
 public:
  explicit Row(int64_t elements) : sums_(elements), starts_(elements) {}

  void mark(const float* weights, const float* uniforms, int64_t draws, bool* drawn) {
    const int64_t last = static_cast<int64_t>(sums_.size()) - 1;
    double sum = 0;
    for (int64_t i = 0; i <= last; i++) sums_[i] = sum += weights[i];
    // The first element that a uniform in [share / E, (share + 1) / E) can take.
    const double step = sum / static_cast<double>(sums_.size());
    int64_t element = 0;
    for (int64_t share = 0; share <= last; share++) {
      while (element < last && !(sums_[element] > share * step)) element++;
      starts_[share] = element;
    }
    for (int64_t draw = 0; draw < draws; draw++) {
      const double uniform = uniforms[draw];
      const double point = uniform * sum;
      // What is not in [0, 1), NaN among it, begins at an end.
      const double shares = uniform * static_cast<double>(sums_.size());
      const double share = uniform > 0 ? std::min(shares, static_cast<double>(last)) : 0;
      int64_t found = starts_[static_cast<int64_t>(share)];
      // Rounding may have put the start behind the element.
      while (found > 0 && sums_[found - 1] > point) found--;
      while (found < last && !(sums_[found] > point)) found++;
      drawn[found] = true;
    }
  }

 private:
  std::vector<double> sums_;
  std::vector<int64_t> starts_;
};

}  // namespace

at::Tensor weightedDraws(const at::Tensor& weights, const at::Tensor& uniforms) {
  checkFloat(weights, "weights");
  checkFloat(uniforms, "uniforms");
  const bool areRows = weights.dim() == 2 && uniforms.dim() == 2 && weights.size(0) == uniforms.size(0);
  if (!areRows || weights.size(1) == 0) {
    throw std::invalid_argument(
        "weights (N, E) and uniforms (N, R) must have as many rows, and weights an element");
  }
  const at::Tensor from = weights.contiguous();
  const at::Tensor points = uniforms.contiguous();
  const at::Tensor drawn = at::zeros(weights.sizes(), weights.options().dtype(at::kBool));
  const int64_t elements = weights.size(1);
  const int64_t draws = uniforms.size(1);
  parallelFor(weights.size(0), 1, [&](int64_t begin, int64_t end) {
    Row row(elements);
    for (int64_t i = begin; i < end; i++) {
      row.mark(from.data_ptr<float>() + i * elements, points.data_ptr<float>() + i * draws, draws,
               drawn.data_ptr<bool>() + i * elements);
    }
  });
  return drawn;
}

}  // namespace sqa
