// The arithmetic of a block conv 3x3 -> ReLU -> max-pool 2x2 on one image, everything of which lies in cache.
//
// Images are channels-last, (pixels, channels). A padded image has a border of one zero pixel: the window of
// a 3x3 kernel at an output pixel is then three runs of 3 * in floats, one a row, which makes each kernel
// three loops over runs.
#pragma once

#include <cstdint>

#include "vectors/instruction_set.h"

namespace sqa {

struct BlockShape {
  int64_t in, out, height, width;

  // The same of two input channels in a float's place.
  BlockShape pairs() const { return {in / 2, out, height, width}; }
  int64_t pixels() const { return height * width; }
  int64_t pooledHeight() const { return height / 2; }
  int64_t pooledWidth() const { return width / 2; }
  int64_t windows() const { return pooledHeight() * pooledWidth(); }
  int64_t run() const { return 3 * in; }                       // floats of a kernel's row
  int64_t paddedRow() const { return (width + 2) * in; }       // floats of a row of the padded input
  int64_t paddedInput() const { return (height + 2) * paddedRow(); }
  int64_t paddedGradientRow() const { return (width + 2) * out; }
  int64_t paddedGradient() const { return (height + 2) * paddedGradientRow(); }
};

// A run to be added with a factor: `offset` floats from a base. Kernels write it as two words.
struct ScaledRun {
  int32_t offset;
  float scale;
} __attribute__((may_alias));

// A pooled output's code is the number of its window's largest pixel, 0 to 3, and this where ReLU let it
// through.
constexpr uint8_t kActive = 4;

// The functions of one instruction set. Sums run in one order in each, whatever the number of threads.
struct ConvKernels {
  int64_t packedTile;  // output channels of the widest tile of packed weights
  // h (pixels, out) = ReLU(convolution + bias). Weights packed by `packWeights`; offsets[p] is the first
  // float of pixel p's window in the padded input.
  void (*convolve)(const BlockShape&, const float* padded, const int32_t* offsets, const float* packed,
                   const float* bias, float* h);
  // pooled (windows, out) = largest y of each window, the first one of equals, NaN above all; one code each.
  // Activity is that of h, which y was quantized from, or y itself.
  void (*pool)(const BlockShape&, const float* h, const float* y, float* pooled, uint8_t* codes);
  // bias (out) += the active ones of the pooled gradient (windows, out).
  void (*addBias)(const BlockShape&, const float* pooledGradient, const uint8_t* codes, float* bias);
  // target[0 .. count) += sum of scale * base[offset .. offset + count); count is a multiple of 8.
  void (*addRuns)(const ScaledRun* runs, int64_t runCount, const float* base, float* target, int64_t count);
  // Of one window (out codes and gradients) the runs of each corner, corner k's from runs[k * out] on:
  // `kernelSize` times the channel, and its gradient. counts[k] is how many.
  void (*runsOfWindow)(const uint8_t* codes, const float* gradient, int64_t out, int32_t kernelSize,
                       ScaledRun* runs, int32_t* counts);
  // Undoes pooling: writes the interior of a padded (height + 2, width + 2, out) gradient, whose border is
  // zero already.
  void (*unpool)(const BlockShape&, const float* pooledGradient, const uint8_t* codes, float* paddedGradient);
  // One input channel: gradient of the image (pixels) from the padded gradient; weights (9, out), rotated by
  // 180 degrees.
  void (*inputGradientOfOne)(const BlockShape&, const float* paddedGradient, const float* weights,
                             float* gradient);
  // One input channel: adds to the gradient of the weights, (9, out).
  void (*weightGradientOfOne)(const BlockShape&, const float* padded, const float* paddedGradient,
                              float* gradient);
};

// Those of a set that the addon was compiled for and the processor has.
const ConvKernels& convKernels(InstructionSet set);

// Channels out of a block are a multiple of this.
constexpr int64_t kChannelStep = 8;

// Weights (out, 3, 3, in) to tiles of `widest` output channels, the rest to ones of a half, a quarter ... of
// it, each (9 * in, tile).
inline void packWeights(const BlockShape& shape, int64_t widest, const float* weights, float* packed) {
  const int64_t taps = 9 * shape.in;
  int64_t first = 0;
  for (int64_t tile = widest; tile >= kChannelStep; tile /= 2) {
    for (; first + tile <= shape.out; first += tile) {
      for (int64_t tap = 0; tap < taps; tap++) {
        for (int64_t c = 0; c < tile; c++) *packed++ = weights[(first + c) * taps + tap];
      }
    }
  }
}

}  // namespace sqa
