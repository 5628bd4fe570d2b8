#include "conv/bfloat16.h"

#include "vectors/vectors.h"

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

#include "vectors/vectors_body.h"

#include "conv/forward_body.h"

template <int kLanes>
inline Words<kLanes> roundedWords(const float* from) {
  const Floats<kLanes> value = load<kLanes>(from);
  const Words<kLanes> bits = reinterpret_cast<Words<kLanes>>(value);
  return value != value ? Words<kLanes>{} + 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

void round(const float* from, int64_t count, uint16_t* to) {
  for (int64_t i = 0; i < count; i += 16) {
    const __m512i words = reinterpret_cast<__m512i>(roundedWords<16>(from + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), _mm512_cvtepi32_epi16(words));
  }
}

// Packing takes four words of one vector and four of the other in turn, which is a group.
void roundInGroups(const float* from, int64_t count, uint16_t* to) {
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    _mm512_storeu_si512(to + i,
                        _mm512_packus_epi32(reinterpret_cast<__m512i>(roundedWords<16>(from + i)),
                                            reinterpret_cast<__m512i>(roundedWords<16>(from + i + 16))));
  }
  if (i == count) return;
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i),
                      _mm256_packus_epi32(reinterpret_cast<__m256i>(roundedWords<8>(from + i)),
                                          reinterpret_cast<__m256i>(roundedWords<8>(from + i + 8))));
}

// Sums of interleaved runs in order are: of each eight the first four, and then of each the last four.
void orderGroups(float* run, int64_t count) {
  for (int64_t i = 0; i < count; i += 32) {
    const int64_t size = count - i < 32 ? 16 : 32;
    float ordered[32];
    for (int64_t j = 0; j < size; j++)
      ordered[j / (size / 2) * 4 + j % (size / 2) / 4 * 8 + j % 4] = run[i + j];
    for (int64_t j = 0; j < size; j++) run[i + j] = ordered[j];
  }
}

// Two runs of a group in pairs, of which the first run's is added first: the halves that packing made, of
// those in groups.
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

// A tile of kWide groups of 32 and, with kNarrow, one of 16 behind them.
template <int kWideGroups, bool kNarrow>
struct TileSums {
  Floats<16> wide[2 * kWideGroups];
  Floats<8> narrow[2];

  void loadFrom(const float* target) {
#pragma GCC unroll 12
    for (int v = 0; v < 2 * kWideGroups; v++) wide[v] = load<16>(target + 16 * v);
    if (!kNarrow) return;
    for (int v = 0; v < 2; v++) narrow[v] = load<8>(target + 32 * kWideGroups + 8 * v);
  }

  void clear() {
#pragma GCC unroll 12
    for (int v = 0; v < 2 * kWideGroups; v++) wide[v] = Floats<16>{};
    for (int v = 0; v < 2; v++) narrow[v] = Floats<8>{};
  }

  void add(const TileSums& other) {
#pragma GCC unroll 12
    for (int v = 0; v < 2 * kWideGroups; v++) wide[v] += other.wide[v];
    for (int v = 0; v < 2; v++) narrow[v] += other.narrow[v];
  }

  void storeTo(float* target) const {
#pragma GCC unroll 12
    for (int v = 0; v < 2 * kWideGroups; v++) store<16>(target + 16 * v, wide[v]);
    if (!kNarrow) return;
    for (int v = 0; v < 2; v++) store<8>(target + 32 * kWideGroups + 8 * v, narrow[v]);
  }

  // Adds two runs; without a second one its place is zero.
  template <bool kTwo>
  inline __attribute__((always_inline)) void addPair(const ScaledRun* run, const uint16_t* base) {
    const uint32_t scales = kTwo ? bitsOf(run[0].scale) | bitsOf(run[1].scale) >> 16 : bitsOf(run[0].scale);
    const auto* first = reinterpret_cast<const uint32_t*>(base + run[0].offset);
    const auto* second = reinterpret_cast<const uint32_t*>(kTwo ? base + run[1].offset : nullptr);
    const Floats<16> scale = reinterpret_cast<Floats<16>>(Words<16>{} + scales);
#pragma GCC unroll 6
    for (int g = 0; g < kWideGroups; g++) {
      const Words<16> a = loadWords<16>(first + 16 * g);
      const Words<16> b = kTwo ? loadWords<16>(second + 16 * g) : Words<16>{};
      wide[2 * g] = multiplyAdd(interleavedLow(a, b), scale, wide[2 * g]);
      wide[2 * g + 1] = multiplyAdd(interleavedHigh(a, b), scale, wide[2 * g + 1]);
    }
    if (!kNarrow) return;
    const Floats<8> narrowScale = reinterpret_cast<Floats<8>>(Words<8>{} + scales);
    const Words<8> a = loadWords<8>(first + 16 * kWideGroups);
    const Words<8> b = kTwo ? loadWords<8>(second + 16 * kWideGroups) : Words<8>{};
    narrow[0] = multiplyAdd(interleavedLow(a, b), narrowScale, narrow[0]);
    narrow[1] = multiplyAdd(interleavedHigh(a, b), narrowScale, narrow[1]);
  }
};

// kWays sums for each vector, so that the latency of a sum is not waited for.
template <int kWideGroups, bool kNarrow, int kWays>
inline void addRunsTile(const ScaledRun* runs, int64_t count, const uint16_t* base, float* target) {
  TileSums<kWideGroups, kNarrow> sums[kWays];
  sums[0].loadFrom(target);
#pragma GCC unroll 4
  for (int w = 1; w < kWays; w++) sums[w].clear();
  int64_t i = 0;
  for (; i + 2 * kWays <= count; i += 2 * kWays) {
#pragma GCC unroll 4
    for (int w = 0; w < kWays; w++) sums[w].template addPair<true>(runs + i + 2 * w, base);
  }
  for (; i + 2 <= count; i += 2) sums[0].template addPair<true>(runs + i, base);
  if (i < count) sums[0].template addPair<false>(runs + i, base);
#pragma GCC unroll 4
  for (int w = 1; w < kWays; w++) sums[0].add(sums[w]);
  sums[0].storeTo(target);
}

void addRuns(const ScaledRun* runs, int64_t runCount, const uint16_t* base, float* target, int64_t count) {
  int64_t j = 0;
  for (; j + 192 <= count; j += 192) addRunsTile<6, false, 1>(runs, runCount, base + j, target + j);
  for (; j + 96 <= count; j += 96) addRunsTile<3, false, 2>(runs, runCount, base + j, target + j);
  if (j < count) addRunsTile<1, true, 2>(runs, runCount, base + j, target + j);
}

const Bfloat16Kernels kernels = {2 * kWide, round, roundInGroups, orderGroups, convolve, addRuns};

}  // namespace bfloat16

#pragma GCC pop_options

}  // namespace

const Bfloat16Kernels* bfloat16Kernels() {
  static const bool there =
      instructionSet() == InstructionSet::avx512 && __builtin_cpu_supports("avx512bf16");
  return there ? &bfloat16::kernels : nullptr;
}

}  // namespace sqa

#else

namespace sqa {

const Bfloat16Kernels* bfloat16Kernels() { return nullptr; }

}  // namespace sqa

#endif
