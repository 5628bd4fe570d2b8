// Philox for processors with AVX2: eight blocks in a set of four vectors, and several sets at once, so that the latency of
// one set's multiplications is not waited for.
#pragma once

#if defined(__x86_64__)

#include <immintrin.h>

#include "philox.h"

#define SQA_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline

namespace sqa {

// High and low halves of eight 32-bit products.
SQA_AVX2_INLINE void multiplyWords(__m256i x, __m256i multiplier, __m256i& high, __m256i& low) {
  const __m256i even = _mm256_mul_epu32(x, multiplier);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), multiplier);
  high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
  low = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
}

// Word w of the block that has counter counters[s][i] in lane i of words[s][w].
template <int kSets>
SQA_AVX2_INLINE void philoxBlocks(const NoiseKey& key, uint32_t image, const __m256i counters[kSets],
                                  __m256i words[kSets][4]) {
  const __m256i multiplier0 = _mm256_set1_epi32(static_cast<int>(kPhiloxMultiplier0));
  const __m256i multiplier1 = _mm256_set1_epi32(static_cast<int>(kPhiloxMultiplier1));
  for (int s = 0; s < kSets; s++) {
    words[s][0] = counters[s];
    words[s][1] = _mm256_set1_epi32(static_cast<int>(image));
    words[s][2] = _mm256_set1_epi32(static_cast<int>(key.draw));
    words[s][3] = _mm256_set1_epi32(static_cast<int>(key.stream));
  }
  uint32_t key0 = key.seedLow, key1 = key.seedHigh;
#pragma GCC unroll 10
  for (int round = 0; round < kPhiloxRounds; round++) {
    const __m256i keys0 = _mm256_set1_epi32(static_cast<int>(key0)), keys1 = _mm256_set1_epi32(static_cast<int>(key1));
#pragma GCC unroll 2
    for (int s = 0; s < kSets; s++) {
      __m256i highA, lowA, highB, lowB;
      multiplyWords(words[s][0], multiplier0, highA, lowA);
      multiplyWords(words[s][2], multiplier1, highB, lowB);
      words[s][0] = _mm256_xor_si256(_mm256_xor_si256(highB, words[s][1]), keys0);
      words[s][2] = _mm256_xor_si256(_mm256_xor_si256(highA, words[s][3]), keys1);
      words[s][1] = lowB;
      words[s][3] = lowA;
    }
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
}

SQA_AVX2_INLINE __m256 wordUniforms(__m256i words) {
  return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_srli_epi32(words, 8)), _mm256_set1_ps(1.0f / 16777216.0f));
}

// `lowUniform` and `highUniform` of eight words.
SQA_AVX2_INLINE __m256 halfUniforms(__m256i halves) {
  const __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(halves), _mm256_set1_ps(1.0f / 65536.0f));
  return _mm256_add_ps(scaled, _mm256_set1_ps(0.5f / 65536.0f));
}

SQA_AVX2_INLINE __m256 lowUniforms(__m256i words) {
  return halfUniforms(_mm256_and_si256(words, _mm256_set1_epi32(0xffff)));
}

SQA_AVX2_INLINE __m256 highUniforms(__m256i words) { return halfUniforms(_mm256_srli_epi32(words, 16)); }

}  // namespace sqa

#endif
