// Stochastic Quantized Activation (Yoon, Park and Kim, Algorithm 1) in one pass, with a straight-through
// gradient.
#pragma once

#include <ATen/ATen.h>

#include "quantize/counted_noise.h"

namespace sqa {

// The set over which minimum and maximum run.
enum class Range { image, channel, batch };

// A noise key, or where its seed is read when the work is done: words are undefined, or int64 of shape (3):
// the seed's low and high word, and what the key's draw is counted from.
struct NoiseSource {
  NoiseKey key;
  at::Tensor words;
};

// Throws unless words are of that kind.
void checkWords(const at::Tensor& words);

// The key as it is now. Throws where the words do not lie on the CPU.
NoiseKey keyOf(const NoiseSource& noise);

// Quantizes activations (N, C, ...) or (N, F), float32 or bfloat16 (by float32's arithmetic), to lambda + 1
// levels between the minimum and the maximum of the range. Where `uniforms` is defined they are used in place
// of counted noise; `nearest` rounds half up and draws none. A constant range is returned as it is; one that
// holds NaN or infinity, or whose width overflows, becomes NaN.
at::Tensor quantizeActivation(const at::Tensor& h, int64_t lambda, Range range, bool nearest,
                              const NoiseSource& noise, const at::Tensor& imageIds,
                              const at::Tensor& uniforms);

// Quantization of an image by itself; ids are those of the whole batch, undefined when rounding to nearest.
struct ImageQuantization {
  int64_t lambda;
  bool nearest;
  NoiseKey key;
  at::Tensor imageIds;
};

// Throws unless ids are int64 below 2^32 for each of the images.
void checkImageIds(const at::Tensor& imageIds, int64_t images);

// Uniforms in [0, 1) of shape (image ids, ...elementShape), on the ids' device.
at::Tensor countedUniform(const at::Tensor& imageIds, at::IntArrayRef elementShape, const NoiseSource& noise);

}  // namespace sqa
