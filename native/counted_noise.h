// Counted noise: Philox-4x32-10 (Salmon et al. 2011, Random123), a pure function of key and counter.
//
//   key     = (seed low, seed high)
//   counter = (element / 4, image id, draw, stream)
//   uniform = (word[element % 4] >> 8) * 2^-24, in [0, 1)
#pragma once

#include <cstdint>

#include "philox.h"

namespace sqa {

// The function is compiled for several instruction sets and chosen at run time; with -ffp-contract=off all give the
// same bits.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SQA_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SQA_CLONES
#endif

// Uniforms of `blocks` counter blocks; block b has counter (first + b * step). Word w of block b goes to
// out[b * blockStride + w * wordStride].
void uniformBlocks(const NoiseKey& key, uint32_t image, int64_t first, int64_t step, int64_t blocks, float* out,
                   int64_t blockStride, int64_t wordStride);

}  // namespace sqa
