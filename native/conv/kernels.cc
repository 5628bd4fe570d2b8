#include "conv/kernels.h"

#include "vectors/vectors.h"

#ifdef SQA_WIDE_KERNELS
#include <immintrin.h>
#endif

namespace sqa {
namespace {

namespace portable {

constexpr int kWide = 8, kTilePixels = 6;
#include "vectors/primitives_every_set.h"

inline Floats<8> multiplyAdd(Floats<8> a, Floats<8> b, Floats<8> c) { return a * b + c; }
template <int kLanes>
inline Floats<kLanes> broadcast(const float* value) {
  return Floats<kLanes>{} + *value;
}
inline Floats<8> sumEach(const Floats<8>* vectors) {
  Floats<8> sums = {};
  for (int i = 0; i < 8; i++) {
    for (int lane = 0; lane < 8; lane++) sums[i] += vectors[i][lane];
  }
  return sums;
}

#include "conv/kernels_body.h"

}  // namespace portable

#ifdef SQA_WIDE_KERNELS
#pragma GCC push_options
#pragma GCC target("avx2,fma")

namespace avx2 {

// 12 sums in 16 registers: two units that take 4 cycles for a multiply-add want 8 at least.
constexpr int kWide = 8, kTilePixels = 6;
#include "vectors/primitives_avx2.h"

#include "conv/kernels_body.h"

}  // namespace avx2

#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,fma")

namespace avx512 {

// 24 sums in 32 registers, and of 12 addresses all but two or three in the general ones.
constexpr int kWide = 16, kTilePixels = 12;
#include "vectors/primitives_avx2.h"
#include "vectors/primitives_avx512.h"

#include "conv/kernels_body.h"

}  // namespace avx512

#pragma GCC pop_options
#endif

}  // namespace

const ConvKernels& convKernels(InstructionSet set) {
#ifdef SQA_WIDE_KERNELS
  if (set == InstructionSet::avx512) return avx512::kernels;
  if (set == InstructionSet::avx2) return avx2::kernels;
#endif
  (void)set;
  return portable::kernels;
}

}  // namespace sqa
