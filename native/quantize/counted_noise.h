// Counted noise: Philox-4x32-10 (Salmon et al. 2011, Random123), a pure function of key and counter.
//
//   key     = (seed low, seed high)
//   counter = (block, image id, draw, stream)
//
// A uniform in [0, 1) takes a whole word: element e has word e % 4 of block e / 4, and u = (word >> 8) 2^-24.
// Rounding is content with half a word: of an image's elements the first L = lowElements(elements) take the
// low halves in the same way, and element L + e takes the high half of element e's word; u = (half + 1/2)
// 2^-16.
#pragma once

#include <cstdint>

#include "quantize/philox.h"

namespace sqa {

// Uniforms in [0, 1) of an image's elements.
void uniforms(const NoiseKey& key, uint32_t image, int64_t elements, float* out);

// Uniforms in (0, 1) of an image's elements, for rounding.
void roundingUniforms(const NoiseKey& key, uint32_t image, int64_t elements, float* out);

// The four words of each of an image's first blocks, in order.
void noiseWords(const NoiseKey& key, uint32_t image, int64_t blocks, uint32_t* words);

}  // namespace sqa
