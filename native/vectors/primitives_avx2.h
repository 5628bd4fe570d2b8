// What the kernels need of AVX2 and FMA beyond arithmetic on vectors, for 8 lanes; included within a
// namespace and a target, as their bodies are.

#include "vectors/primitives_every_set.h"

inline Floats<8> multiplyAdd(Floats<8> a, Floats<8> b, Floats<8> c) { return _mm256_fmadd_ps(a, b, c); }

template <int kLanes>
inline Floats<kLanes> broadcast(const float* value);
template <>
inline Floats<8> broadcast<8>(const float* value) {
  return _mm256_broadcast_ss(value);
}

// The sums of the lanes of eight vectors.
inline Floats<8> sumEach(const Floats<8>* v) {
  const __m256 a = _mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));
  const __m256 b = _mm256_hadd_ps(_mm256_hadd_ps(v[4], v[5]), _mm256_hadd_ps(v[6], v[7]));
  return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
}

// The smaller and the larger of two lanes; b where one is NaN.
inline Floats<8> smaller(Floats<8> a, Floats<8> b) { return _mm256_min_ps(a, b); }
inline Floats<8> larger(Floats<8> a, Floats<8> b) { return _mm256_max_ps(a, b); }

inline Floats<8> truncated(Floats<8> a) { return _mm256_round_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }

// Lane i is table[index[i]], for indices below 8.
inline Floats<8> lookUp(Floats<8> table, Ints<8> index) {
  return _mm256_permutevar8x32_ps(table, reinterpret_cast<__m256i>(index));
}

// High and low halves of 32-bit products.
inline void multiplyWords(Words<8> x, Words<8> multiplier, Words<8>& high, Words<8>& low) {
  const __m256i a = reinterpret_cast<__m256i>(x), b = reinterpret_cast<__m256i>(multiplier);
  const __m256i even = _mm256_mul_epu32(a, b);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), b);
  high = reinterpret_cast<Words<8>>(_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA));
  low = reinterpret_cast<Words<8>>(_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA));
}
