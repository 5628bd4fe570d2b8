#include "quantize/counted_noise.h"

#include <algorithm>

#include "quantize/vector_kernels.h"

namespace sqa {

void uniforms(const NoiseKey& key, uint32_t image, int64_t elements, float* out) {
  const QuantizerKernels* kernels = quantizerKernels(instructionSet());
  int64_t block = kernels == nullptr ? 0 : kernels->drawUniforms(key, image, elements / 4, out);
  for (; block * 4 < elements; block++) {
    uint32_t words[4];
    philoxBlock(key, image, static_cast<uint32_t>(block), words);
    for (int64_t e = block * 4; e < std::min(block * 4 + 4, elements); e++)
      out[e] = wordUniform(words[e % 4]);
  }
}

void roundingUniforms(const NoiseKey& key, uint32_t image, int64_t elements, float* out) {
  const int64_t low = lowElements(elements);
  const QuantizerKernels* kernels = quantizerKernels(instructionSet());
  int64_t block =
      kernels == nullptr ? 0 : kernels->drawHalves(key, image, (elements - low) / 4, out, out + low);
  for (; block * 4 < low; block++) {
    uint32_t words[4];
    philoxBlock(key, image, static_cast<uint32_t>(block), words);
    for (int64_t e = block * 4; e < block * 4 + 4; e++) {
      if (e < elements) out[e] = lowUniform(words[e % 4]);
      if (low + e < elements) out[low + e] = highUniform(words[e % 4]);
    }
  }
}

void noiseWords(const NoiseKey& key, uint32_t image, int64_t blocks, uint32_t* words) {
  const QuantizerKernels* kernels = quantizerKernels(instructionSet());
  int64_t block = kernels == nullptr ? 0 : kernels->drawWords(key, image, blocks, words);
  for (; block < blocks; block++) {
    philoxBlock(key, image, static_cast<uint32_t>(block), words + 4 * block);
  }
}

}  // namespace sqa
