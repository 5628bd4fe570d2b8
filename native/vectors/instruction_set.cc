#include "vectors/instruction_set.h"

#include <cstdlib>
#include <string_view>

namespace sqa {
namespace {

InstructionSet widestSupported() {
#ifdef SQA_WIDE_KERNELS
  // What the kernels are compiled for, which is what libtorch's levels want. This also asks the operating
  // system, which has to save the wider registers.
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return InstructionSet::portable;
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  return wide ? InstructionSet::avx512 : InstructionSet::avx2;
#else
  return InstructionSet::portable;
#endif
}

// What libtorch calls it; a name that it does not know allows everything, as there.
InstructionSet widestAllowed() {
  const char* named = std::getenv("ATEN_CPU_CAPABILITY");
  const std::string_view name = named == nullptr ? "" : named;
  if (name == "default") return InstructionSet::portable;
  if (name == "avx2") return InstructionSet::avx2;
  return InstructionSet::avx512;
}

}  // namespace

InstructionSet instructionSet() {
  static const InstructionSet chosen = [] {
    const InstructionSet supported = widestSupported(), allowed = widestAllowed();
    return supported < allowed ? supported : allowed;
  }();
  return chosen;
}

const char* nameOf(InstructionSet set) {
  switch (set) {
    case InstructionSet::portable:
      return "portable";
    case InstructionSet::avx2:
      return "AVX2";
    default:
      return "AVX512";
  }
}

}  // namespace sqa
