// The kernels for CUDA devices, by plain pointers: what launches them knows of tensors, they do not.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "quantize/philox.h"

namespace sqa::cuda {

// Minimum and width of the elements that are quantized together, and what is to be done with them.
struct Extent {
  enum State : int32_t { quantize, constant, notFinite };
  float minimum, width;
  int32_t state, unused;
};

// Activations of `images` images of channels x pixels elements, bfloat16 or float32, stored (N, C, pixels)
// or, where `channelsLast`, (N, pixels, C); then pixels must be a multiple of 4 and channels even.
struct Activations {
  const void* from;
  void* to;
  bool bfloat16, channelsLast;
  uint32_t images, channels, pixels;
};

// Elements that share minimum and maximum: consecutive ones in memory. An image has `perImage` such segments
// of `length` elements each; 0 stands for one segment of all images.
struct Segments {
  uint32_t perImage;
  int64_t count, length;
};

// A noise key; where words are not null, its seed is read from the device's memory and its draw counted from
// there (keyFrom).
struct Key {
  NoiseKey key;
  const int64_t* words;
};

// The levels, and the source of the uniforms of stochastic rounding: given ones (as many as activations, in
// row-major order), counted ones, or, where neither is there, none: rounding to nearest.
struct Rounding {
  float lambda;
  const float* uniforms;
  const int64_t* imageIds;
  Key key;
};

// Into how many parts a segment is cut to find its extent.
uint32_t partsOf(const Segments& segments);

// Quantizes; `extents` has room for a segment each, and `parts` for its parts. An image whose id lies outside
// 0 .. 2^32 - 1 becomes NaN: an error could not be told without waiting for the device.
cudaError_t quantizeActivation(const Activations& activations, const Segments& segments,
                               const Rounding& rounding, Extent* extents, Extent* parts, cudaStream_t stream);

// Counted uniforms, (images, elements); NaN for an id outside 0 .. 2^32 - 1.
cudaError_t countedUniform(const int64_t* imageIds, uint32_t images, uint32_t elements, const Key& key,
                           float* out, cudaStream_t stream);

}  // namespace sqa::cuda
