// Philox-4x32-10 (Salmon et al. 2011, Random123), one block for a key and a counter; the same code on the CPU and on a device.
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

// The uniforms in [0, 1) of the four elements that share a counter.
SQA_ON_DEVICE inline void philoxUniforms(const NoiseKey& key, uint32_t image, uint32_t counter, float uniforms[4]) {
  uint32_t x[4] = {counter, image, key.draw, key.stream};
  uint32_t key0 = key.seedLow, key1 = key.seedHigh;
  for (int round = 0; round < 10; round++) {
    uint64_t a = static_cast<uint64_t>(x[0]) * 0xD2511F53u;
    uint64_t b = static_cast<uint64_t>(x[2]) * 0xCD9E8D57u;
    x[0] = static_cast<uint32_t>(b >> 32) ^ x[1] ^ key0;
    x[2] = static_cast<uint32_t>(a >> 32) ^ x[3] ^ key1;
    x[1] = static_cast<uint32_t>(b);
    x[3] = static_cast<uint32_t>(a);
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  for (int w = 0; w < 4; w++) uniforms[w] = static_cast<float>(static_cast<int32_t>(x[w] >> 8)) * (1.0f / 16777216.0f);
}

}  // namespace sqa
