#include "counted_noise.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sqa {
namespace {

constexpr uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
constexpr uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;
constexpr float kScale = 1.0f / 16777216.0f;

void blockPortable(const NoiseKey& key, uint32_t image, uint32_t counter, float* out, int64_t wordStride) {
  float uniforms[4];
  philoxUniforms(key, image, counter, uniforms);
  for (int w = 0; w < 4; w++) out[w * wordStride] = uniforms[w];
}

#if defined(__x86_64__)

// High and low halves of eight 32-bit products.
__attribute__((target("avx2"), always_inline)) inline void multiply(__m256i x, __m256i multiplier, __m256i& high,
                                                                   __m256i& low) {
  __m256i even = _mm256_mul_epu32(x, multiplier);
  __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), multiplier);
  high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
  low = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
}

// Eight blocks at once: word w of block i in lane i of words[w].
__attribute__((target("avx2"), always_inline)) inline void eightBlocks(const NoiseKey& key, uint32_t image,
                                                                       __m256i counters, __m256 words[4]) {
  const __m256i multiplier0 = _mm256_set1_epi32(static_cast<int>(kMultiplier0));
  const __m256i multiplier1 = _mm256_set1_epi32(static_cast<int>(kMultiplier1));
  __m256i x0 = counters, x1 = _mm256_set1_epi32(static_cast<int>(image));
  __m256i x2 = _mm256_set1_epi32(static_cast<int>(key.draw)), x3 = _mm256_set1_epi32(static_cast<int>(key.stream));
  uint32_t key0 = key.seedLow, key1 = key.seedHigh;
  for (int round = 0; round < 10; round++) {
    __m256i highA, lowA, highB, lowB;
    multiply(x0, multiplier0, highA, lowA);
    multiply(x2, multiplier1, highB, lowB);
    x0 = _mm256_xor_si256(_mm256_xor_si256(highB, x1), _mm256_set1_epi32(static_cast<int>(key0)));
    x2 = _mm256_xor_si256(_mm256_xor_si256(highA, x3), _mm256_set1_epi32(static_cast<int>(key1)));
    x1 = lowB;
    x3 = lowA;
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  const __m256 scale = _mm256_set1_ps(kScale);
  words[0] = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_srli_epi32(x0, 8)), scale);
  words[1] = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_srli_epi32(x1, 8)), scale);
  words[2] = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_srli_epi32(x2, 8)), scale);
  words[3] = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_srli_epi32(x3, 8)), scale);
}

// Stores the words of eight blocks one block after another: a transposition of 8 x 4 to 4 x 8.
__attribute__((target("avx2"), always_inline)) inline void storeBlocks(const __m256 words[4], float* out) {
  __m256 a = _mm256_unpacklo_ps(words[0], words[1]), b = _mm256_unpackhi_ps(words[0], words[1]);
  __m256 c = _mm256_unpacklo_ps(words[2], words[3]), d = _mm256_unpackhi_ps(words[2], words[3]);
  __m256 r0 = _mm256_shuffle_ps(a, c, 0x44), r1 = _mm256_shuffle_ps(a, c, 0xEE);
  __m256 r2 = _mm256_shuffle_ps(b, d, 0x44), r3 = _mm256_shuffle_ps(b, d, 0xEE);
  _mm256_storeu_ps(out, _mm256_permute2f128_ps(r0, r1, 0x20));
  _mm256_storeu_ps(out + 8, _mm256_permute2f128_ps(r2, r3, 0x20));
  _mm256_storeu_ps(out + 16, _mm256_permute2f128_ps(r0, r1, 0x31));
  _mm256_storeu_ps(out + 24, _mm256_permute2f128_ps(r2, r3, 0x31));
}

// As many whole groups of eight blocks as there are; returns how many blocks were done.
__attribute__((target("avx2"))) int64_t uniformBlocksAvx2(const NoiseKey& key, uint32_t image, int64_t first,
                                                          int64_t step, int64_t blocks, float* out, int64_t blockStride,
                                                          int64_t wordStride) {
  const bool consecutive = blockStride == 4 && wordStride == 1;
  if (!consecutive && blockStride != 1) return 0;
  const int stride = static_cast<int>(step);
  const __m256i lanes = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(stride));
  int64_t done = 0;
  for (; done + 8 <= blocks; done += 8) {
    __m256 words[4];
    eightBlocks(key, image, _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(first + done * step)), lanes), words);
    if (consecutive) {
      storeBlocks(words, out + done * 4);
    } else {
      for (int w = 0; w < 4; w++) _mm256_storeu_ps(out + done + w * wordStride, words[w]);
    }
  }
  return done;
}

#endif

}  // namespace

void uniformBlocks(const NoiseKey& key, uint32_t image, int64_t first, int64_t step, int64_t blocks, float* out,
                   int64_t blockStride, int64_t wordStride) {
  int64_t done = 0;
#if defined(__x86_64__)
  static const bool avx2 = __builtin_cpu_supports("avx2");
  if (avx2) done = uniformBlocksAvx2(key, image, first, step, blocks, out, blockStride, wordStride);
#endif
  for (; done < blocks; done++) {
    blockPortable(key, image, static_cast<uint32_t>(first + done * step), out + done * blockStride, wordStride);
  }
}

}  // namespace sqa
