#include "quantize/vector_kernels.h"

#include "vectors/vectors.h"

#ifdef SQA_WIDE_KERNELS
#include <immintrin.h>

namespace sqa {
namespace {

#pragma GCC push_options
#pragma GCC target("avx2,fma")

namespace avx2 {

constexpr int kWide = 8;
#include "vectors/primitives_avx2.h"

#include "quantize/vector_kernels_body.h"

}  // namespace avx2

#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,fma")

namespace avx512 {

constexpr int kWide = 16;
#include "vectors/primitives_avx2.h"
#include "vectors/primitives_avx512.h"

#include "quantize/vector_kernels_body.h"

}  // namespace avx512

#pragma GCC pop_options

}  // namespace
}  // namespace sqa
#endif

const sqa::QuantizerKernels* sqa::quantizerKernels(InstructionSet set) {
#ifdef SQA_WIDE_KERNELS
  if (set == InstructionSet::avx512) return &avx512::kernels;
  if (set == InstructionSet::avx2) return &avx2::kernels;
#endif
  (void)set;
  return nullptr;
}
