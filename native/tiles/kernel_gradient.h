// The gradient of a convolution's kernels by tiles.
#pragma once

#include "products/layer.h"

namespace sqa {

// Of a layer whose form are tiles: its input and its output's gradient, both channels-last, to the gradient
// of its kernels, (out, in, 3, 3). The same bits for any number of threads.
struct KernelGradient {
  const LayerShape& shape;
  int64_t images;
  Sides sides;
  const float* input;
  const float* gradient;
  float* kernels;
};

void runKernelGradient(const KernelGradient& work);

}  // namespace sqa
