// Tiles of images, channels-last: where their pixels lie in memory.
#pragma once

#include <type_traits>

#include "products/layer.h"

namespace sqa {

// Tiles in a piece of work where threads share few of them.
constexpr int64_t kTilesTaken = 8;

// Images whose outputs, of the same sides, are divided into tiles of kSide x kSide.
template <int kSide>
class Tiling {
 public:
  Tiling(int64_t images, const Sides& sides)
      : images_(images),
        sides_(sides),
        down_((sides.height + kSide - 1) / kSide),
        across_((sides.width + kSide - 1) / kSide) {}

  int64_t count() const { return images_ * down_ * across_; }

  // The pixels that tile number `index` reads, of `channels` floats each; `outside` stands for those outside
  // of the image.
  template <class Float>
  void around(int64_t index, Float* base, int64_t channels, std::type_identity_t<Float>* outside,
              Float* (&pixels)[Tile<kSide>::kPoints]) const {
    window<kSide + 2>(index, -1, base, channels, outside, pixels);
  }

  // The pixels of its outputs.
  template <class Float>
  void within(int64_t index, Float* base, int64_t channels, std::type_identity_t<Float>* outside,
              Float* (&pixels)[Tile<kSide>::kOutputs]) const {
    window<kSide>(index, 0, base, channels, outside, pixels);
  }

 private:
  template <int kPixels, class Float>
  void window(int64_t index, int64_t shift, Float* base, int64_t channels, Float* outside,
              Float* (&pixels)[kPixels * kPixels]) const {
    const int64_t image = index / (down_ * across_), place = index % (down_ * across_);
    const int64_t top = place / across_ * kSide + shift, left = place % across_ * kSide + shift,
                  line = sides_.width * channels;
    Float* row = base + (image * sides_.pixels() + top * sides_.width + left) * channels;
    if (top >= 0 && left >= 0 && top + kPixels <= sides_.height && left + kPixels <= sides_.width) {
      for (int y = 0; y < kPixels; y++, row += line) {
        for (int x = 0; x < kPixels; x++) pixels[y * kPixels + x] = row + x * channels;
      }
      return;
    }
    for (int64_t y = 0; y < kPixels; y++, row += line) {
      const bool isRow = top + y >= 0 && top + y < sides_.height;
      for (int64_t x = 0; x < kPixels; x++) {
        const bool isInside = isRow && left + x >= 0 && left + x < sides_.width;
        pixels[y * kPixels + x] = isInside ? row + x * channels : outside;
      }
    }
  }

  int64_t images_;
  Sides sides_;
  int64_t down_, across_;
};

}  // namespace sqa
