// A step along the signs of a gradient, in one pass over memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace sqa {

// Images (any shape) whose l-infinity ball of a radius a step ends in.
struct SignStepBall {
  at::Tensor images;
  float radius;
};

// to = points + length * sign(gradient), cut to [image - radius, image + radius] where there is a ball, and
// to [0, 1]; the bits of libtorch's operators one by one. Float32 on the CPU, all of one shape; `to` may be
// `points`.
void signStep(const at::Tensor& to, const at::Tensor& points, const at::Tensor& gradient, float length,
              const std::optional<SignStepBall>& ball);

}  // namespace sqa
