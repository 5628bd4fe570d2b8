#include "counted_noise.h"

#include <algorithm>

#include "philox_avx2.h"

namespace sqa {
namespace {

#if defined(__x86_64__)

// Stores the words of eight blocks one block after another: a transposition of 8 x 4 to 4 x 8.
SQA_AVX2_INLINE void storeBlocks(const __m256 words[4], float* out) {
  __m256 a = _mm256_unpacklo_ps(words[0], words[1]), b = _mm256_unpackhi_ps(words[0], words[1]);
  __m256 c = _mm256_unpacklo_ps(words[2], words[3]), d = _mm256_unpackhi_ps(words[2], words[3]);
  __m256 r0 = _mm256_shuffle_ps(a, c, 0x44), r1 = _mm256_shuffle_ps(a, c, 0xEE);
  __m256 r2 = _mm256_shuffle_ps(b, d, 0x44), r3 = _mm256_shuffle_ps(b, d, 0xEE);
  _mm256_storeu_ps(out, _mm256_permute2f128_ps(r0, r1, 0x20));
  _mm256_storeu_ps(out + 8, _mm256_permute2f128_ps(r2, r3, 0x20));
  _mm256_storeu_ps(out + 16, _mm256_permute2f128_ps(r0, r1, 0x31));
  _mm256_storeu_ps(out + 24, _mm256_permute2f128_ps(r2, r3, 0x31));
}

// As many of the blocks as go in sixteens; returns how many. High halves go to `high`, or, where it is null, words are whole.
__attribute__((target("avx2"))) int64_t blocksAvx2(const NoiseKey& key, uint32_t image, int64_t blocks, float* low,
                                                   float* high) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  int64_t done = 0;
  for (; done + 16 <= blocks; done += 16) {
    const int first = static_cast<int>(done);
    const __m256i counters[2] = {_mm256_add_epi32(_mm256_set1_epi32(first), lanes),
                                 _mm256_add_epi32(_mm256_set1_epi32(first + 8), lanes)};
    __m256i words[2][4];
    philoxBlocks<2>(key, image, counters, words);
    for (int s = 0; s < 2; s++) {
      __m256 drawn[4];
      for (int w = 0; w < 4; w++) drawn[w] = high == nullptr ? wordUniforms(words[s][w]) : lowUniforms(words[s][w]);
      storeBlocks(drawn, low + (done + 8 * s) * 4);
      if (high == nullptr) continue;
      for (int w = 0; w < 4; w++) drawn[w] = highUniforms(words[s][w]);
      storeBlocks(drawn, high + (done + 8 * s) * 4);
    }
  }
  return done;
}

#endif

// The blocks that a vector kernel may draw: all that are whole.
int64_t wideBlocks(const NoiseKey& key, uint32_t image, int64_t blocks, float* low, float* high) {
#if defined(__x86_64__)
  static const bool avx2 = __builtin_cpu_supports("avx2");
  if (avx2) return blocksAvx2(key, image, blocks, low, high);
#endif
  return 0;
}

}  // namespace

void uniforms(const NoiseKey& key, uint32_t image, int64_t elements, float* out) {
  for (int64_t block = wideBlocks(key, image, elements / 4, out, nullptr); block * 4 < elements; block++) {
    uint32_t words[4];
    philoxBlock(key, image, static_cast<uint32_t>(block), words);
    for (int64_t e = block * 4; e < std::min(block * 4 + 4, elements); e++) out[e] = wordUniform(words[e % 4]);
  }
}

void roundingUniforms(const NoiseKey& key, uint32_t image, int64_t elements, float* out) {
  const int64_t low = lowElements(elements);
  for (int64_t block = wideBlocks(key, image, (elements - low) / 4, out, out + low); block * 4 < low; block++) {
    uint32_t words[4];
    philoxBlock(key, image, static_cast<uint32_t>(block), words);
    for (int64_t e = block * 4; e < block * 4 + 4; e++) {
      if (e < elements) out[e] = lowUniform(words[e % 4]);
      if (low + e < elements) out[low + e] = highUniform(words[e % 4]);
    }
  }
}

}  // namespace sqa
