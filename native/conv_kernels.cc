#include "conv_kernels.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SQA_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace sqa {
namespace {

using Float8 = float __attribute__((vector_size(32)));

namespace portable {

inline Float8 multiplyAdd(Float8 a, Float8 b, Float8 c) { return a * b + c; }
inline Float8 broadcast(const float* value) { return Float8{} + *value; }
inline Float8 sumEach(const Float8* vectors) {
  Float8 sums = {};
  for (int i = 0; i < 8; i++) {
    for (int lane = 0; lane < 8; lane++) sums[i] += vectors[i][lane];
  }
  return sums;
}

#include "conv_kernels_body.h"

}  // namespace portable

#ifdef SQA_AVX2_KERNELS
#pragma GCC push_options
#pragma GCC target("avx2,fma")

namespace avx2 {

inline Float8 multiplyAdd(Float8 a, Float8 b, Float8 c) { return _mm256_fmadd_ps(a, b, c); }
inline Float8 broadcast(const float* value) { return _mm256_broadcast_ss(value); }
inline Float8 sumEach(const Float8* v) {
  const __m256 a = _mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));
  const __m256 b = _mm256_hadd_ps(_mm256_hadd_ps(v[4], v[5]), _mm256_hadd_ps(v[6], v[7]));
  return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
}

#include "conv_kernels_body.h"

}  // namespace avx2

#pragma GCC pop_options
#endif

}  // namespace

const ConvKernels& convKernels() {
#ifdef SQA_AVX2_KERNELS
  static const bool wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (wide) return avx2::kernels;
#endif
  return portable::kernels;
}

void packWeights(const BlockShape& shape, const float* weights, float* packed) {
  const int64_t taps = 9 * shape.in;
  for (int64_t first = 0; first < shape.out; first += 16) {
    const int64_t tile = shape.out - first < 16 ? shape.out - first : 16;
    for (int64_t tap = 0; tap < taps; tap++) {
      for (int64_t c = 0; c < tile; c++) *packed++ = weights[(first + c) * taps + tap];
    }
  }
}

}  // namespace sqa
