// The arithmetic of SQA on the elements of one image, on the CPU.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "quantize/counted_noise.h"

namespace sqa {

// Minimum and maximum of some elements, and whether all of them are finite.
struct Extent {
  float minimum = std::numeric_limits<float>::infinity();
  float maximum = -std::numeric_limits<float>::infinity();
  bool finite = true;

  void merge(const Extent& other);
};

Extent extentOf(const float* h, int64_t count);

// Quantizes `count` elements of one extent. A constant extent is copied; one that is not finite, or whose
// width overflows, becomes NaN. Uniforms are one an element; null rounds to nearest, half up.
void quantizeElements(const float* h, const float* uniforms, float* y, int64_t count, const Extent& extent,
                      float lambda);

// Quantizes images stored channels-last, (pixels, channels), a band of pixels at a time, so that a caller can
// use a band while it lies in the nearest cache. Bands start at multiples of `band`.
class ChannelsLastQuantizer {
 public:
  // Without a key it rounds to nearest.
  ChannelsLastQuantizer(int64_t pixels, int64_t channels, int64_t band, float lambda, const NoiseKey* key);

  // The image to quantize next; the extent is over as much as its minimum and maximum are to be over.
  void begin(const float* h, const Extent& extent, uint32_t imageId);

  // Writes pixels [first, first + count) of the image to y; count is at most `band`.
  void quantize(int64_t first, int64_t count, float* y);

 private:
  // With the pass that quantizes; before it, as words of two elements each; or before it, as uniforms, in
  // memory order.
  enum class Drawing { byBand, byWord, byElement };

  int64_t pixels_, channels_;
  float lambda_;
  const NoiseKey* key_;
  Drawing drawing_ = Drawing::byElement;
  const float* h_ = nullptr;
  Extent extent_;
  uint32_t imageId_ = 0;
  std::vector<float> drawn_, uniforms_;
  std::vector<uint32_t> drawnWords_, words_;
};

}  // namespace sqa
