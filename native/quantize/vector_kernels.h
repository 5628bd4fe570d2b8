// SQA's levels, and the kernels on vectors for them and their noise, which give the bits of the scalar
// functions.
#pragma once

#include <cstdint>

#include "quantize/kernels.h"
#include "quantize/philox.h"
#include "vectors/instruction_set.h"

namespace sqa {

// The levels between which values are rounded.
struct Levels {
  float minimum, width, lambda;

  Levels(const Extent& extent, float lambda)
      : minimum(extent.minimum), width(extent.maximum - extent.minimum), lambda(lambda) {}

  float value(float level) const { return level / lambda * width + minimum; }
};

// u < frac is false at frac = 0.5; the largest float below one half rounds half up.
constexpr float kUniformToNearest = 0.49999997f;

// Pixels of an image with 16 n channels and 4 m pixels: a counter block lies on four neighboring pixels of
// channel c, with its low halves, and of channel channels / 2 + c. A set is eight such channels c.
struct Band {
  const float* h;
  float* y;
  int64_t first, count, pixels, channels;
  const NoiseKey& key;
  uint32_t image;

  int64_t sets() const { return count / 4 * (channels / 16); }
};

// The way in which a kernel finds the values of levels: of two, it chooses one; of up to eight, it looks in a
// table; of more, it divides.
enum class Values { two, table, computed };

constexpr Values valuesOf(float lambda) {
  return lambda == 1 ? Values::two : lambda < 8 ? Values::table : Values::computed;
}

// The functions of one instruction set; arrays are by Values.
struct QuantizerKernels {
  // The first blocks of `uniforms`, of `roundingUniforms` (low and high halves), and of `noiseWords`, as many
  // as whole vectors give; they return how many.
  int64_t (*drawUniforms)(const NoiseKey&, uint32_t image, int64_t blocks, float* out);
  int64_t (*drawHalves)(const NoiseKey&, uint32_t image, int64_t blocks, float* low, float* high);
  int64_t (*drawWords)(const NoiseKey&, uint32_t image, int64_t blocks, uint32_t* out);
  // As much of an extent as whole vectors give; returns how many elements were seen.
  int64_t (*extent)(const float* h, int64_t count, Extent& extent);
  // Draws and quantizes a band.
  void (*band[3])(const Band&, const Levels&);
  // Pixels of 2 half channels, half a multiple of 8: of each row of `half` words the low halves are those of
  // the first channels, the high halves those of the others.
  void (*pixels[3])(const float* h, const uint32_t* words, float* y, int64_t pixels, int64_t half,
                    const Levels&);
  // Whole vectors of elements, by a uniform each, or to nearest where there are none; returns how many
  // elements.
  int64_t (*elements[3])(const float* h, const float* uniforms, float* y, int64_t count, const Levels&);
  // words (rows, columns) to (columns, rows); rows are a multiple of 8.
  void (*transpose)(const uint32_t* words, int64_t rows, int64_t columns, uint32_t* transposed);
};

// Null where there are none for a set.
const QuantizerKernels* quantizerKernels(InstructionSet set);

}  // namespace sqa
