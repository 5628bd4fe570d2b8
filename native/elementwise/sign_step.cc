#include "elementwise/sign_step.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>

#include "elementwise/elementwise.h"
#include "memory/parallel.h"

namespace sqa {
namespace {

// NaN passes, as it does through libtorch's clamp.
inline float cut(float value, float low, float high) {
  value = value < low ? low : value;
  return value > high ? high : value;
}

// `to` may be `points`, so neither is restricted; no element depends on another.
void stepAlong(float* to, const float* points, const float* gradient, float length, int64_t count) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; i++) {
    const float sign = static_cast<float>(gradient[i] > 0) - static_cast<float>(gradient[i] < 0);
    to[i] = cut(points[i] + length * sign, 0, 1);
  }
}

void stepInBall(float* to, const float* points, const float* gradient, float length, const float* images,
                float radius, int64_t count) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; i++) {
    const float sign = static_cast<float>(gradient[i] > 0) - static_cast<float>(gradient[i] < 0);
    const float low = std::max(images[i] - radius, 0.0f);
    const float high = std::min(images[i] + radius, 1.0f);
    to[i] = cut(points[i] + length * sign, low, high);
  }
}

}  // namespace

void signStep(const at::Tensor& to, const at::Tensor& points, const at::Tensor& gradient, float length,
              const std::optional<SignStepBall>& ball) {
  constexpr auto whose = "the points'";
  checkElements(points, points, "points", whose);
  checkElements(to, points, "the result", whose);
  checkElements(gradient, points, "a gradient", whose);
  if (ball) checkElements(ball->images, points, "images", whose);
  if (!to.is_non_overlapping_and_dense()) throw std::invalid_argument("the result must fill its memory");
  const at::Tensor from = laidAs(points, to);
  const at::Tensor slope = laidAs(gradient, to);
  const at::Tensor around = ball ? laidAs(ball->images, to) : at::Tensor();
  float* out = to.data_ptr<float>();
  const float* p = from.data_ptr<float>();
  const float* g = slope.data_ptr<float>();
  const float* x = ball ? around.data_ptr<float>() : nullptr;
  const int64_t elements = to.numel();
  parallelFor((elements + kElementsTaken - 1) / kElementsTaken, 1, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kElementsTaken;
    const int64_t count = std::min(end * kElementsTaken, elements) - first;
    if (x == nullptr) {
      stepAlong(out + first, p + first, g + first, length, count);
    } else {
      stepInBall(out + first, p + first, g + first, length, x + first, ball->radius, count);
    }
  });
  to.unsafeGetTensorImpl()->bump_version();
}

}  // namespace sqa
