// A block's kernels in bfloat16: operands rounded to it, their products added up in float32.
//
// The processor multiplies pairs. To the convolution a pair of channels is what a float is in float32. A sum
// of runs interleaves two of them, which makes of 32 neighbors in order sums of 16 that are out of it: "in
// groups", four of the first half and four of the second alternate, and runs in groups give sums in order. A
// run is 48 n long, and its last 16 may be a group of their own.
#pragma once

#include <cstdint>
#include <cstring>

#include "conv/kernels.h"

namespace sqa {

// Tells whether there is bfloat16 for so many input channels; blocks of others always compute in float32.
inline bool takesBfloat16(int64_t in) { return in % 16 == 0; }

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
  // As `roundedToBfloat16`; count is a multiple of 16.
  void (*round)(const float* from, int64_t count, uint16_t* to);
  // The same of a run, in groups.
  void (*roundInGroups)(const float* from, int64_t count, uint16_t* to);
  // A run in groups to one in order, in place.
  void (*orderGroups)(float* run, int64_t count);
  // As in ConvKernels, on pairs: a shape of half as many input channels, the padded image and packed weights
  // in pairs.
  void (*convolve)(const BlockShape&, const float* padded, const int32_t* offsets, const float* packed,
                   const float* bias, float* h);
  // As in ConvKernels, of scales that are rounded; either the base's runs are in groups or the target is
  // then. count is 192 or the rest of a run.
  void (*addRuns)(const ScaledRun* runs, int64_t runCount, const uint16_t* base, float* target,
                  int64_t count);
};

// Null where the processor does not multiply bfloat16, or `instructionSet` is narrower than AVX-512.
const Bfloat16Kernels* bfloat16Kernels();

}  // namespace sqa
