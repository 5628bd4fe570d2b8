// Philox-4x32-10 (Salmon et al. 2011, Random123), one block for a key and a counter; the same code on the CPU
// and on a device.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define SQA_ON_DEVICE __host__ __device__
#else
#define SQA_ON_DEVICE
#endif

namespace sqa {

struct NoiseKey {
  uint32_t seedLow, seedHigh, draw, stream;
};

// A key whose seed is read from memory: low and high word, and what its draw is counted from.
SQA_ON_DEVICE inline NoiseKey keyFrom(const int64_t* words, const NoiseKey& key) {
  return {static_cast<uint32_t>(words[0]), static_cast<uint32_t>(words[1]),
          static_cast<uint32_t>(words[2]) + key.draw, key.stream};
}

constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53u, kPhiloxMultiplier1 = 0xCD9E8D57u;
constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9u, kPhiloxWeyl1 = 0xBB67AE85u;
constexpr int kPhiloxRounds = 10;

// The four words of a block.
SQA_ON_DEVICE inline void philoxBlock(const NoiseKey& key, uint32_t image, uint32_t counter,
                                      uint32_t words[4]) {
  uint32_t x0 = counter, x1 = image, x2 = key.draw, x3 = key.stream;
  uint32_t key0 = key.seedLow, key1 = key.seedHigh;
  for (int round = 0; round < kPhiloxRounds; round++) {
    const uint64_t a = static_cast<uint64_t>(x0) * kPhiloxMultiplier0;
    const uint64_t b = static_cast<uint64_t>(x2) * kPhiloxMultiplier1;
    x0 = static_cast<uint32_t>(b >> 32) ^ x1 ^ key0;
    x2 = static_cast<uint32_t>(a >> 32) ^ x3 ^ key1;
    x1 = static_cast<uint32_t>(b);
    x3 = static_cast<uint32_t>(a);
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
  words[0] = x0;
  words[1] = x1;
  words[2] = x2;
  words[3] = x3;
}

// A word's uniform in [0, 1).
SQA_ON_DEVICE inline float wordUniform(uint32_t word) {
  return static_cast<float>(static_cast<int32_t>(word >> 8)) * (1.0f / 16777216.0f);
}

// The uniforms in (0, 1) that a word's low and high half have for rounding.
SQA_ON_DEVICE inline float lowUniform(uint32_t word) {
  return static_cast<float>(static_cast<int32_t>(word & 0xffffu)) * (1.0f / 65536.0f) + 0.5f / 65536.0f;
}

SQA_ON_DEVICE inline float highUniform(uint32_t word) { return lowUniform(word >> 16); }

// Counts an image's elements that take low halves; the others take the high halves of the same words.
SQA_ON_DEVICE inline int64_t lowElements(int64_t elements) { return (elements + 7) / 8 * 4; }

}  // namespace sqa
