// Vectors of 8 or 16 lanes as types of GCC. Only types: functions on them are compiled for each instruction
// set by itself.
#pragma once

#include <cstdint>

namespace sqa {

template <int kLanes>
struct VectorTypes {
  typedef float Floats __attribute__((vector_size(4 * kLanes)));
  typedef int32_t Ints __attribute__((vector_size(4 * kLanes)));
  typedef uint32_t Words __attribute__((vector_size(4 * kLanes)));
  typedef uint8_t Bytes __attribute__((vector_size(kLanes)));
  typedef float UnalignedFloats __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
  typedef uint32_t UnalignedWords __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
  typedef uint8_t UnalignedBytes __attribute__((vector_size(kLanes), aligned(1), may_alias));
};

template <int kLanes>
using Floats = typename VectorTypes<kLanes>::Floats;
template <int kLanes>
using Ints = typename VectorTypes<kLanes>::Ints;
template <int kLanes>
using Words = typename VectorTypes<kLanes>::Words;
template <int kLanes>
using Bytes = typename VectorTypes<kLanes>::Bytes;

}  // namespace sqa
