#include "conv_bfloat16.h"

#include "vectors.h"

#ifdef SQA_WIDE_KERNELS
#include <immintrin.h>

namespace sqa {
namespace {

#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,fma")

namespace bfloat16 {

constexpr int kWide = 16, kTilePixels = 12;

// A lane is a pair: both products are added, the second one's first.
inline Floats<8> multiplyAdd(Floats<8> a, Floats<8> b, Floats<8> c) {
  return _mm256_dpbf16_ps(c, (__m256bh)a, (__m256bh)b);
}
inline Floats<16> multiplyAdd(Floats<16> a, Floats<16> b, Floats<16> c) {
  return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b);
}

template <int kLanes>
inline Floats<kLanes> broadcast(const float* value);
template <>
inline Floats<8> broadcast<8>(const float* value) {
  return _mm256_set1_ps(*value);
}
template <>
inline Floats<16> broadcast<16>(const float* value) {
  return _mm512_set1_ps(*value);
}

#include "vectors_body.h"

#include "conv_forward_body.h"

template <int kLanes>
inline Words<kLanes> roundedWords(const float* from) {
  const Floats<kLanes> value = load<kLanes>(from);
  const Words<kLanes> bits = reinterpret_cast<Words<kLanes>>(value);
  return value != value ? Words<kLanes>{} + 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

// The words of two vectors as halves of one: in each 128 bits four of the first and four of the second.
inline Words<8> grouped(Words<8> first, Words<8> second) {
  return reinterpret_cast<Words<8>>(
      _mm256_packus_epi32(reinterpret_cast<__m256i>(first), reinterpret_cast<__m256i>(second)));
}
inline Words<16> grouped(Words<16> first, Words<16> second) {
  return reinterpret_cast<Words<16>>(
      _mm512_packus_epi32(reinterpret_cast<__m512i>(first), reinterpret_cast<__m512i>(second)));
}

template <int kLanes>
inline void roundGroups(const float* from, int64_t count, uint16_t* to) {
  for (int64_t i = 0; i < count; i += 2 * kLanes) {
    storeWords<kLanes>(reinterpret_cast<uint32_t*>(to + i),
                       grouped(roundedWords<kLanes>(from + i), roundedWords<kLanes>(from + i + kLanes)));
  }
}

void round(const float* from, int64_t count, int64_t group, uint16_t* to) {
  if (group == 32) {
    roundGroups<16>(from, count, to);
  } else {
    roundGroups<8>(from, count, to);
  }
}

// The first or second half of a group of two runs, in pairs, the first run's being added first.
inline Floats<8> interleavedLow(Words<8> first, Words<8> second) {
  return reinterpret_cast<Floats<8>>(
      _mm256_unpacklo_epi16(reinterpret_cast<__m256i>(second), reinterpret_cast<__m256i>(first)));
}
inline Floats<8> interleavedHigh(Words<8> first, Words<8> second) {
  return reinterpret_cast<Floats<8>>(
      _mm256_unpackhi_epi16(reinterpret_cast<__m256i>(second), reinterpret_cast<__m256i>(first)));
}
inline Floats<16> interleavedLow(Words<16> first, Words<16> second) {
  return reinterpret_cast<Floats<16>>(
      _mm512_unpacklo_epi16(reinterpret_cast<__m512i>(second), reinterpret_cast<__m512i>(first)));
}
inline Floats<16> interleavedHigh(Words<16> first, Words<16> second) {
  return reinterpret_cast<Floats<16>>(
      _mm512_unpackhi_epi16(reinterpret_cast<__m512i>(second), reinterpret_cast<__m512i>(first)));
}

inline uint32_t bitsOf(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Two runs in one; without a second one its place is zero.
template <int kLanes, int kGroups, bool kTwo>
inline void addPair(const ScaledRun* run, const uint16_t* base, Floats<kLanes>* sums) {
  const uint32_t scales = kTwo ? bitsOf(run[0].scale) | bitsOf(run[1].scale) >> 16 : bitsOf(run[0].scale);
  const Floats<kLanes> scale = reinterpret_cast<Floats<kLanes>>(Words<kLanes>{} + scales);
  const auto* first = reinterpret_cast<const uint32_t*>(base + run[0].offset);
  const auto* second = reinterpret_cast<const uint32_t*>(kTwo ? base + run[1].offset : nullptr);
#pragma GCC unroll 6
  for (int g = 0; g < kGroups; g++) {
    const Words<kLanes> a = loadWords<kLanes>(first + g * kLanes);
    const Words<kLanes> b = kTwo ? loadWords<kLanes>(second + g * kLanes) : Words<kLanes>{};
    sums[2 * g] = multiplyAdd(interleavedLow(a, b), scale, sums[2 * g]);
    sums[2 * g + 1] = multiplyAdd(interleavedHigh(a, b), scale, sums[2 * g + 1]);
  }
}

// kWays sums for each vector, so that the latency of a sum is not waited for.
template <int kLanes, int kGroups, int kWays>
inline void addRunsTile(const ScaledRun* runs, int64_t count, const uint16_t* base, float* target) {
  constexpr int kVectors = 2 * kGroups;
  Floats<kLanes> sums[kWays][kVectors];
#pragma GCC unroll 12
  for (int v = 0; v < kVectors; v++) {
    sums[0][v] = load<kLanes>(target + v * kLanes);
#pragma GCC unroll 4
    for (int w = 1; w < kWays; w++) sums[w][v] = Floats<kLanes>{};
  }
  int64_t i = 0;
  for (; i + 2 * kWays <= count; i += 2 * kWays) {
#pragma GCC unroll 4
    for (int w = 0; w < kWays; w++) addPair<kLanes, kGroups, true>(runs + i + 2 * w, base, sums[w]);
  }
  for (; i + 2 <= count; i += 2) addPair<kLanes, kGroups, true>(runs + i, base, sums[0]);
  if (i < count) addPair<kLanes, kGroups, false>(runs + i, base, sums[0]);
#pragma GCC unroll 12
  for (int v = 0; v < kVectors; v++) {
#pragma GCC unroll 4
    for (int w = 1; w < kWays; w++) sums[0][v] += sums[w][v];
    store<kLanes>(target + v * kLanes, sums[0][v]);
  }
}

template <int kLanes>
inline void addRunsOf(const ScaledRun* runs, int64_t runCount, const uint16_t* base, float* target, int64_t count) {
  constexpr int kGroup = 2 * kLanes;
  int64_t j = 0;
  for (; j + 6 * kGroup <= count; j += 6 * kGroup) addRunsTile<kLanes, 6, 1>(runs, runCount, base + j, target + j);
  for (; j + 3 * kGroup <= count; j += 3 * kGroup) addRunsTile<kLanes, 3, 2>(runs, runCount, base + j, target + j);
  for (; j < count; j += kGroup) addRunsTile<kLanes, 1, 4>(runs, runCount, base + j, target + j);
}

void addRuns(const ScaledRun* runs, int64_t runCount, const uint16_t* base, float* target, int64_t count, int64_t group) {
  if (group == 32) {
    addRunsOf<16>(runs, runCount, base, target, count);
  } else {
    addRunsOf<8>(runs, runCount, base, target, count);
  }
}

const Bfloat16Kernels kernels = {2 * kWide, round, convolve, addRuns};

}  // namespace bfloat16

#pragma GCC pop_options

}  // namespace

const Bfloat16Kernels* bfloat16Kernels() {
  static const bool there = instructionSet() == InstructionSet::avx512 && __builtin_cpu_supports("avx512bf16");
  return there ? &bfloat16::kernels : nullptr;
}

}  // namespace sqa

#else

namespace sqa {

const Bfloat16Kernels* bfloat16Kernels() { return nullptr; }

}  // namespace sqa

#endif
