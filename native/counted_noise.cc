#include "counted_noise.h"

namespace sqa {
namespace {

// Blocks computed together: as many as fill the vector registers of the widest instruction set.
constexpr int kLanes = 16;

__attribute__((always_inline)) inline void philoxLanes(uint32_t x0[kLanes], uint32_t x1[kLanes], uint32_t x2[kLanes],
                                                       uint32_t x3[kLanes], uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < kLanes; i++) {
      uint64_t a = static_cast<uint64_t>(x0[i]) * 0xD2511F53u;
      uint64_t b = static_cast<uint64_t>(x2[i]) * 0xCD9E8D57u;
      x0[i] = static_cast<uint32_t>(b >> 32) ^ x1[i] ^ key0;
      x2[i] = static_cast<uint32_t>(a >> 32) ^ x3[i] ^ key1;
      x1[i] = static_cast<uint32_t>(b);
      x3[i] = static_cast<uint32_t>(a);
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

}  // namespace

SQA_CLONES void uniformBlocks(const NoiseKey& key, uint32_t image, int64_t first, int64_t step, int64_t blocks,
                              float* out, int64_t blockStride, int64_t wordStride) {
  constexpr float kScale = 1.0f / 16777216.0f;
  for (int64_t base = 0; base < blocks; base += kLanes) {
    uint32_t x0[kLanes], x1[kLanes], x2[kLanes], x3[kLanes];
    for (int i = 0; i < kLanes; i++) {
      x0[i] = static_cast<uint32_t>(first + (base + i) * step);
      x1[i] = image;
      x2[i] = key.draw;
      x3[i] = key.stream;
    }
    philoxLanes(x0, x1, x2, x3, key.seedLow, key.seedHigh);
    float u[4][kLanes];
    for (int i = 0; i < kLanes; i++) {
      u[0][i] = static_cast<float>(static_cast<int32_t>(x0[i] >> 8)) * kScale;
      u[1][i] = static_cast<float>(static_cast<int32_t>(x1[i] >> 8)) * kScale;
      u[2][i] = static_cast<float>(static_cast<int32_t>(x2[i] >> 8)) * kScale;
      u[3][i] = static_cast<float>(static_cast<int32_t>(x3[i] >> 8)) * kScale;
    }
    const int64_t count = blocks - base < kLanes ? blocks - base : kLanes;
    for (int w = 0; w < 4; w++) {
      for (int64_t i = 0; i < count; i++) out[(base + i) * blockStride + w * wordStride] = u[w][i];
    }
  }
}

}  // namespace sqa
