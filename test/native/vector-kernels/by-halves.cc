// In place of conv/kernels.cc and quantize/vector_kernels.cc: the code for 16 lanes, with vectors that are two
// halves of AVX2's. So what AVX-512 runs, but for its primitives, runs on a machine that has none.
#include <immintrin.h>

#include "conv/kernels.h"
#include "quantize/vector_kernels.h"
#include "vectors/vectors.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma")

namespace sqa {
namespace {
namespace convolution {

constexpr int kWide = 16, kTilePixels = 12;
#include "vectors/primitives_avx2.h"
#include "primitives-by-halves.h"

#include "conv/kernels_body.h"

}  // namespace convolution
namespace quantization {

constexpr int kWide = 16;
#include "vectors/primitives_avx2.h"
#include "primitives-by-halves.h"

#include "quantize/vector_kernels_body.h"

}  // namespace quantization
}  // namespace
}  // namespace sqa

#pragma GCC pop_options

const sqa::ConvKernels& sqa::convKernels(InstructionSet) { return convolution::kernels; }
const sqa::QuantizerKernels* sqa::quantizerKernels(InstructionSet) { return &quantization::kernels; }
