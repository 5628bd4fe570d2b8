// What primitives_avx512.h has, of the primitives for 8 lanes.

union Halves {
  Floats<16> floats;
  Ints<16> ints;
  Words<16> words;
  Floats<8> floatHalves[2];
  Ints<8> intHalves[2];
  Words<8> wordHalves[2];
};

template <class Function>
inline Floats<16> eachHalf(Floats<16> a, Floats<16> b, Function function) {
  const Halves from{a}, with{b};
  Halves result;
  for (int i = 0; i < 2; i++) result.floatHalves[i] = function(from.floatHalves[i], with.floatHalves[i]);
  return result.floats;
}

inline Floats<16> multiplyAdd(Floats<16> a, Floats<16> b, Floats<16> c) {
  const Halves x{a}, y{b};
  Halves sum{c};
  for (int i = 0; i < 2; i++) sum.floatHalves[i] = multiplyAdd(x.floatHalves[i], y.floatHalves[i], sum.floatHalves[i]);
  return sum.floats;
}

template <>
inline Floats<16> broadcast<16>(const float* value) {
  return Floats<16>{} + *value;
}

inline Floats<16> smaller(Floats<16> a, Floats<16> b) {
  return eachHalf(a, b, [](Floats<8> x, Floats<8> y) { return smaller(x, y); });
}
inline Floats<16> larger(Floats<16> a, Floats<16> b) {
  return eachHalf(a, b, [](Floats<8> x, Floats<8> y) { return larger(x, y); });
}
inline Floats<16> truncated(Floats<16> a) {
  return eachHalf(a, a, [](Floats<8> x, Floats<8>) { return truncated(x); });
}

inline Floats<16> lookUp(Floats<16> table, Ints<16> index) {
  const Halves values{table};
  Halves places{}, result;
  places.ints = index;
  for (int i = 0; i < 2; i++) result.floatHalves[i] = lookUp(values.floatHalves[i], places.intHalves[i]);
  return result.floats;
}

inline void multiplyWords(Words<16> x, Words<16> multiplier, Words<16>& high, Words<16>& low) {
  Halves a, b, upper, lower;
  a.words = x;
  b.words = multiplier;
  for (int i = 0; i < 2; i++) multiplyWords(a.wordHalves[i], b.wordHalves[i], upper.wordHalves[i], lower.wordHalves[i]);
  high = upper.words;
  low = lower.words;
}
