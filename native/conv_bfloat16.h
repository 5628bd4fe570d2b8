// A block's kernels in bfloat16: operands rounded to it, their products added up in float32.
//
// Channels lie in groups of 32, of 16 where their number is no multiple of 32, and within a group four of its first half
// alternate with four of its second: interleaving two vectors of such runs, as their sum wants it, puts lanes in their natural
// order. Neighbors in pairs stay neighbors, so to the convolution a pair is what a float is in float32.
#pragma once

#include <cstdint>
#include <cstring>

#include "conv_kernels.h"

namespace sqa {

// Channels of a group; 0 where a block with so many input channels computes in float32 in any case.
inline int64_t bfloat16Group(int64_t in) { return in % 32 == 0 ? 32 : in % 16 == 0 ? 16 : 0; }

// To the nearest, ties to even; NaN stays NaN.
inline float roundedToBfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits = value == value ? (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000 : 0x7fc00000;
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}

// Numbers below 2^-126 count as zero, in operands and in sums.
struct Bfloat16Kernels {
  int64_t packedTile;  // as in ConvKernels
  // As `roundedToBfloat16`, in groups; count is a multiple of the group.
  void (*round)(const float* from, int64_t count, int64_t group, uint16_t* to);
  // As in ConvKernels, on pairs: a shape of half as many input channels, the padded image and packed weights in pairs.
  void (*convolve)(const BlockShape&, const float* padded, const int32_t* offsets, const float* packed,
                   const float* bias, float* h);
  // As in ConvKernels, of runs in groups and scales that are rounded; count is a multiple of the group.
  void (*addRuns)(const ScaledRun* runs, int64_t runCount, const uint16_t* base, float* target, int64_t count,
                  int64_t group);
};

// Null where the processor does not multiply bfloat16, or `instructionSet` is narrower than AVX-512.
const Bfloat16Kernels* bfloat16Kernels();

}  // namespace sqa
