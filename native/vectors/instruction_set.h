// Which instructions the hand-written kernels use, chosen at run time.
#pragma once

// Kernels for AVX2 and AVX-512 are compiled in; what they need of a compiler only GCC has.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SQA_WIDE_KERNELS
#endif

namespace sqa {

enum class InstructionSet { portable, avx2, avx512 };

// The widest set that processor, operating system and addon have; a narrower one where the environment
// variable ATEN_CPU_CAPABILITY names it as for libtorch ("avx2", "default"). It is read once.
InstructionSet instructionSet();

// "portable", "AVX2" or "AVX512".
const char* nameOf(InstructionSet set);

}  // namespace sqa
