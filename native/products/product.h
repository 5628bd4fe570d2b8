// A layer's work on plain memory, forward or back.
#pragma once

#include "products/layer.h"

namespace sqa {

// One direction of a layer, channels-last. Back, `from` is the output's gradient and `to` the input's.
struct Direction {
  const LayerShape& shape;
  bool isBackward;
  int64_t images;
  Sides input, output;   // of the layer, in either direction
  const float* from;
  const float* passed;   // null, or outputs of ReLU that the gradient `from` went through
  const float* residual;
  const float* packed;
  Finish finish;
  float* to;

  int64_t channelsFrom() const { return isBackward ? shape.out : shape.in; }
  int64_t channelsTo() const { return isBackward ? shape.in : shape.out; }
};

void runProduct(const Direction& direction);

// Forms tiles2 and tiles4 of it.
void runTiles(const Direction& direction);

}  // namespace sqa
