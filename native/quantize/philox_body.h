// Philox on vectors: kLanes blocks in a set of four vectors, and several sets at once, so that the latency of
// one set's multiplications is not waited for. Included for each instruction set within a namespace that has
// multiplyWords and exclusiveOr.

// The keys of the rounds, made once for many blocks.
struct RoundKeys {
  uint32_t first[kPhiloxRounds], second[kPhiloxRounds];

  explicit RoundKeys(const NoiseKey& key) {
    for (uint32_t round = 0; round < kPhiloxRounds; round++) {
      first[round] = key.seedLow + round * kPhiloxWeyl0;
      second[round] = key.seedHigh + round * kPhiloxWeyl1;
    }
  }
};

// Word w of the block that has counter counters[s][i] in lane i of words[s][w].
template <int kLanes, int kSets>
__attribute__((always_inline)) inline void philoxBlocks(const NoiseKey& key, const RoundKeys& keys,
                                                        uint32_t image, const Words<kLanes> counters[kSets],
                                                        Words<kLanes> words[kSets][4]) {
  using Vector = Words<kLanes>;
  const Vector multiplier0 = Vector{} + kPhiloxMultiplier0, multiplier1 = Vector{} + kPhiloxMultiplier1;
  for (int s = 0; s < kSets; s++) {
    words[s][0] = counters[s];
    words[s][1] = Vector{} + image;
    words[s][2] = Vector{} + key.draw;
    words[s][3] = Vector{} + key.stream;
  }
#pragma GCC unroll 10
  for (int round = 0; round < kPhiloxRounds; round++) {
    const Vector first = Vector{} + keys.first[round], second = Vector{} + keys.second[round];
#pragma GCC unroll 3
    for (int s = 0; s < kSets; s++) {
      Vector highA, lowA, highB, lowB;
      multiplyWords(words[s][0], multiplier0, highA, lowA);
      multiplyWords(words[s][2], multiplier1, highB, lowB);
      words[s][0] = exclusiveOr<kLanes>(highB, words[s][1], first);
      words[s][2] = exclusiveOr<kLanes>(highA, words[s][3], second);
      words[s][1] = lowB;
      words[s][3] = lowA;
    }
  }
}

// `wordUniform` of each lane.
template <int kLanes>
inline Floats<kLanes> wordUniforms(Words<kLanes> words) {
  const Ints<kLanes> bits = reinterpret_cast<Ints<kLanes>>(words >> 8);
  return __builtin_convertvector(bits, Floats<kLanes>) * (1.0f / 16777216.0f);
}

// `lowUniform` and `highUniform` of each lane.
template <int kLanes>
inline Floats<kLanes> halfUniforms(Words<kLanes> halves) {
  const Ints<kLanes> bits = reinterpret_cast<Ints<kLanes>>(halves);
  return __builtin_convertvector(bits, Floats<kLanes>) * (1.0f / 65536.0f) + (0.5f / 65536.0f);
}

template <int kLanes>
inline Floats<kLanes> lowUniforms(Words<kLanes> words) {
  return halfUniforms<kLanes>(words & 0xffffu);
}

template <int kLanes>
inline Floats<kLanes> highUniforms(Words<kLanes> words) {
  return halfUniforms<kLanes>(words >> 16);
}
