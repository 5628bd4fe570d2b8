// What primitives_avx2.h has, for 16 lanes of AVX-512; included after it.

inline Floats<16> multiplyAdd(Floats<16> a, Floats<16> b, Floats<16> c) { return _mm512_fmadd_ps(a, b, c); }

template <>
inline Floats<16> broadcast<16>(const float* value) {
  return _mm512_set1_ps(*value);
}

inline Floats<16> smaller(Floats<16> a, Floats<16> b) { return _mm512_min_ps(a, b); }
inline Floats<16> larger(Floats<16> a, Floats<16> b) { return _mm512_max_ps(a, b); }

inline Floats<16> truncated(Floats<16> a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}

inline Floats<16> lookUp(Floats<16> table, Ints<16> index) {
  return _mm512_permutexvar_ps(reinterpret_cast<__m512i>(index), table);
}

template <>
inline int appendPairs<8>(Words<8> first, Words<8> second, Ints<8> chosen, uint32_t* to) {
  const __m512i low = _mm512_cvtepu32_epi64(reinterpret_cast<__m256i>(first));
  const __m512i high = _mm512_slli_epi64(_mm512_cvtepu32_epi64(reinterpret_cast<__m256i>(second)), 32);
  const __mmask8 mask = _mm256_movepi32_mask(reinterpret_cast<__m256i>(chosen));
  _mm512_storeu_si512(to, _mm512_maskz_compress_epi64(mask, _mm512_or_si512(low, high)));
  return __builtin_popcount(mask);
}

template <>
inline Words<16> exclusiveOr<16>(Words<16> a, Words<16> b, Words<16> c) {
  return reinterpret_cast<Words<16>>(_mm512_ternarylogic_epi32(
      reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b), reinterpret_cast<__m512i>(c), 0x96));
}

inline void multiplyWords(Words<16> x, Words<16> multiplier, Words<16>& high, Words<16>& low) {
  const __m512i a = reinterpret_cast<__m512i>(x), b = reinterpret_cast<__m512i>(multiplier);
  const __m512i even = _mm512_mul_epu32(a, b);
  const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), b);
  // Of each product's two words one goes to its neighbor's place and the other stays: one masked exchange
  // each.
  high = reinterpret_cast<Words<16>>(_mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_CDAB));
  low = reinterpret_cast<Words<16>>(_mm512_mask_shuffle_epi32(even, 0xAAAA, odd, _MM_PERM_CDAB));
}
