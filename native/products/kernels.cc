#include "products/kernels.h"

#include "vectors/vectors.h"

#ifdef SQA_WIDE_KERNELS
#include <immintrin.h>
#endif

namespace sqa {
namespace {

namespace portable {

constexpr int kWide = 8, kTileRows = 6;
#include "vectors/primitives_every_set.h"

inline Floats<8> multiplyAdd(Floats<8> a, Floats<8> b, Floats<8> c) { return a * b + c; }
template <int kLanes>
inline Floats<kLanes> broadcast(const float* value) {
  return Floats<kLanes>{} + *value;
}

#include "products/kernels_body.h"

}  // namespace portable

#ifdef SQA_WIDE_KERNELS
#pragma GCC push_options
#pragma GCC target("avx2,fma")

namespace avx2 {

// 12 sums in 16 registers.
constexpr int kWide = 8, kTileRows = 6;
#include "vectors/primitives_avx2.h"

#include "products/kernels_body.h"

}  // namespace avx2

#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,fma")

namespace avx512 {

// 24 sums in 32 registers.
constexpr int kWide = 16, kTileRows = 12;
#include "vectors/primitives_avx2.h"
#include "vectors/primitives_avx512.h"

#include "products/kernels_body.h"

}  // namespace avx512

#pragma GCC pop_options
#endif

}  // namespace

const ProductKernels& productKernels(InstructionSet set) {
#ifdef SQA_WIDE_KERNELS
  if (set == InstructionSet::avx512) return avx512::kernels;
  if (set == InstructionSet::avx2) return avx2::kernels;
#endif
  (void)set;
  return portable::kernels;
}

}  // namespace sqa
