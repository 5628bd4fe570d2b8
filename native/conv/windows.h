// An image with a border of zeros, and where the windows of its pixels lie in it.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "conv/bfloat16.h"
#include "conv/kernels.h"

namespace sqa {

// The first float of each output pixel's window in the padded input.
inline std::vector<int32_t> windowOffsets(const BlockShape& shape) {
  std::vector<int32_t> offsets(shape.pixels());
  for (int64_t y = 0; y < shape.height; y++) {
    for (int64_t x = 0; x < shape.width; x++) {
      offsets[y * shape.width + x] = static_cast<int32_t>(y * shape.paddedRow() + x * shape.in);
    }
  }
  return offsets;
}

// Into the interior of a padded image whose border is zero already.
inline void copyPadded(const BlockShape& shape, const float* image, float* padded) {
  const int64_t row = shape.width * shape.in;
  for (int64_t y = 0; y < shape.height; y++) {
    std::memcpy(padded + (y + 1) * shape.paddedRow() + shape.in, image + y * row, row * sizeof(float));
  }
}

// The same in bfloat16.
inline void roundPadded(const BlockShape& shape, const Bfloat16Kernels& kernels, const float* image,
                        uint16_t* padded) {
  const int64_t row = shape.width * shape.in;
  for (int64_t y = 0; y < shape.height; y++) {
    kernels.round(image + y * row, row, padded + (y + 1) * shape.paddedRow() + shape.in);
  }
}

}  // namespace sqa
