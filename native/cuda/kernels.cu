// SQA and counted noise on a CUDA device: the same counters and the same arithmetic as on the CPU
// (quantize/kernels.cc), compiled without contraction to fused multiply-add, so that the results are the same
// bits.
#include "cuda/kernels.h"

#include <cstring>
#include <limits>

#include "cuda/launch.h"

namespace sqa::cuda {
namespace {

constexpr uint32_t kThreads = 256;
constexpr float kInfinity = std::numeric_limits<float>::infinity(),
                kNaN = std::numeric_limits<float>::quiet_NaN();

// bfloat16 as its bits: the upper half of a float's, rounded to nearest even.
using Bfloat16 = uint16_t;

__device__ inline float load(const float* from, int64_t i) { return from[i]; }

__device__ inline float load(const Bfloat16* from, int64_t i) {
  const uint32_t bits = static_cast<uint32_t>(from[i]) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

__device__ inline void store(float* to, int64_t i, float value) { to[i] = value; }

__device__ inline void store(Bfloat16* to, int64_t i, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  to[i] = static_cast<Bfloat16>(value == value ? rounded : 0x7fc0u);
}

// Minimum and maximum of some elements; `product` is 0 unless one of them is NaN or infinite.
struct Partial {
  float minimum = kInfinity, maximum = -kInfinity, product = 0.0f;

  __device__ void merge(float least, float most, float other) {
    minimum = least < minimum ? least : minimum;
    maximum = most > maximum ? most : maximum;
    product += other;
  }
};

// The merged partials of a block's threads, in its thread 0.
__device__ Partial reduceBlock(Partial own) {
  __shared__ float minima[kThreads], maxima[kThreads], products[kThreads];
  const uint32_t thread = threadIdx.x;
  minima[thread] = own.minimum;
  maxima[thread] = own.maximum;
  products[thread] = own.product;
  for (uint32_t half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (thread < half) {
      own.merge(minima[thread + half], maxima[thread + half], products[thread + half]);
      minima[thread] = own.minimum;
      maxima[thread] = own.maximum;
      products[thread] = own.product;
    }
  }
  return own;
}

__device__ inline Extent settle(const Partial& partial) {
  const float width = partial.maximum - partial.minimum;
  const bool finite = partial.product == 0.0f && width * 0.0f == 0.0f;
  return {partial.minimum, width,
          finite ? (width > 0 ? Extent::quantize : Extent::constant) : Extent::notFinite, 0};
}

// A partial on its way between two kernels; its product travels as the state.
__device__ inline Extent pack(const Partial& partial) {
  return {partial.minimum, partial.maximum, partial.product == 0.0f ? 0 : 1, 0};
}

// A block for each part of a segment: block = segment * parts + part.
template <typename Scalar>
__global__ void findParts(const Scalar* from, int64_t length, uint32_t parts, Extent* out) {
  const uint32_t part = blockIdx.x % parts;
  from += blockIdx.x / parts * length;
  Partial own;
  for (int64_t i = static_cast<int64_t>(part) * kThreads + threadIdx.x; i < length;
       i += static_cast<int64_t>(parts) * kThreads) {
    const float value = load(from, i);
    own.merge(value, value, value * 0.0f);
  }
  own = reduceBlock(own);
  if (threadIdx.x == 0) out[blockIdx.x] = parts == 1 ? settle(own) : pack(own);
}

// A block for each segment.
__global__ void mergeParts(const Extent* partials, uint32_t parts, Extent* out) {
  partials += static_cast<int64_t>(blockIdx.x) * parts;
  Partial own;
  for (uint32_t part = threadIdx.x; part < parts; part += kThreads) {
    own.merge(partials[part].minimum, partials[part].width, static_cast<float>(partials[part].state));
  }
  own = reduceBlock(own);
  if (threadIdx.x == 0) out[blockIdx.x] = settle(own);
}

__device__ inline float quantizeValue(float h, float u, const Extent& extent, float lambda) {
  const float g = (h - extent.minimum) / extent.width * lambda;
  float level = static_cast<float>(static_cast<int32_t>(g));  // g >= 0, so truncation is floor
  level += u < g - level ? 1.0f : 0.0f;
  level = level < lambda ? level : lambda;  // guards against rounding of g above lambda
  return level / lambda * extent.width + extent.minimum;
}

__device__ inline bool isWord(int64_t id) { return id >= 0 && id <= 0xffffffffll; }

__device__ inline NoiseKey keyNow(const Key& key) {
  return key.words == nullptr ? key.key : keyFrom(key.words, key.key);
}

// A thread for the eight elements that share a counter, four with its low halves and four with its high ones;
// blocks along x go over an image, along y over images.
template <typename Scalar>
__global__ void quantizeElements(Activations activations, uint32_t segmentsPerImage, uint32_t segmentLength,
                                 Rounding rounding, const Extent* extents) {
  const uint32_t channels = activations.channels, pixels = activations.pixels, elements = channels * pixels;
  const uint32_t group = blockIdx.x * kThreads + threadIdx.x;
  const uint32_t low = static_cast<uint32_t>(lowElements(elements));
  if (group >= low / 4) return;
  // Neighboring threads take neighboring elements in memory: of one image in row-major order, or of one
  // pixel.
  const bool last = activations.channelsLast;
  const uint32_t first = last ? group % (channels / 2) * pixels + group / (channels / 2) * 4 : group * 4;
  const uint32_t offset = last ? group / (channels / 2) * 4 * channels + group % (channels / 2) : first;
  const uint32_t stride = last ? channels : 1, highOffset = last ? channels / 2 : low;
  const NoiseKey key = keyNow(rounding.key);
  for (uint32_t image = blockIdx.y; image < activations.images; image += gridDim.y) {
    const int64_t base = static_cast<int64_t>(image) * elements;
    const Scalar* from = static_cast<const Scalar*>(activations.from) + base + offset;
    Scalar* to = static_cast<Scalar*>(activations.to) + base + offset;
    uint32_t words[4] = {};
    bool known = true;
    if (rounding.imageIds != nullptr) {
      const int64_t id = rounding.imageIds[image];
      known = isWord(id);
      philoxBlock(key, static_cast<uint32_t>(id), first / 4, words);
    }
    for (uint32_t half = 0; half < 2; half++) {
      for (uint32_t w = 0; w < 4; w++) {
        const uint32_t element = first + half * low + w, place = half * highOffset + w * stride;
        if (element >= elements) break;
        // u < frac is false at frac = 0.5; the largest float below one half rounds half up.
        float uniform = 0.49999997f;
        if (rounding.uniforms != nullptr) {
          uniform = rounding.uniforms[base + element];
        } else if (rounding.imageIds != nullptr) {
          uniform = half == 0 ? lowUniform(words[w]) : highUniform(words[w]);
        }
        const Extent& extent =
            extents[static_cast<int64_t>(image) * segmentsPerImage + element / segmentLength];
        float value = load(from, place);
        if (!known || extent.state == Extent::notFinite) {
          value = kNaN;
        } else if (extent.state == Extent::quantize) {
          value = quantizeValue(value, uniform, extent, rounding.lambda);
        }
        store(to, place, value);
      }
    }
  }
}

__global__ void drawUniforms(const int64_t* imageIds, uint32_t images, uint32_t elements, Key given,
                             float* out) {
  const uint32_t first = (blockIdx.x * kThreads + threadIdx.x) * 4;
  if (first >= elements) return;
  const NoiseKey key = keyNow(given);
  for (uint32_t image = blockIdx.y; image < images; image += gridDim.y) {
    uint32_t words[4];
    philoxBlock(key, static_cast<uint32_t>(imageIds[image]), first / 4, words);
    for (uint32_t w = 0; w < 4 && first + w < elements; w++) {
      out[static_cast<int64_t>(image) * elements + first + w] =
          isWord(imageIds[image]) ? wordUniform(words[w]) : kNaN;
    }
  }
}

// Blocks for a thread a counter of every image, which serves `perCounter` elements.
dim3 blocksFor(uint32_t images, uint32_t elements, uint32_t perCounter) {
  const uint32_t perBlock = perCounter * kThreads;
  return dim3(elements / perBlock + (elements % perBlock > 0 ? 1 : 0), images < 65535 ? images : 65535);
}

template <typename Scalar>
cudaError_t quantizeAs(const Activations& activations, const Segments& segments, const Rounding& rounding,
                       Extent* extents, Extent* parts, cudaStream_t stream) {
  const uint32_t count = partsOf(segments), blocks = static_cast<uint32_t>(segments.count) * count;
  cudaError_t error = launch(findParts<Scalar>, dim3(blocks), kThreads, stream,
                             static_cast<const Scalar*>(activations.from), segments.length, count,
                             count == 1 ? extents : parts);
  if (error == cudaSuccess && count > 1) {
    error = launch(mergeParts, dim3(static_cast<uint32_t>(segments.count)), kThreads, stream, parts, count,
                   extents);
  }
  if (error != cudaSuccess) return error;
  const uint32_t elements = activations.channels * activations.pixels;
  const uint32_t length = segments.perImage == 0 ? elements : static_cast<uint32_t>(segments.length);
  return launch(quantizeElements<Scalar>, blocksFor(activations.images, elements, 8), kThreads, stream,
                activations, segments.perImage, length, rounding, extents);
}

}  // namespace

uint32_t partsOf(const Segments& segments) {
  // As many blocks as keep a large device busy, but none with less than a few elements a thread.
  const int64_t wanted = 1 + 1024 / segments.count, most = 1 + segments.length / (16 * kThreads);
  return static_cast<uint32_t>(wanted < most ? wanted : most);
}

cudaError_t quantizeActivation(const Activations& activations, const Segments& segments,
                               const Rounding& rounding, Extent* extents, Extent* parts,
                               cudaStream_t stream) {
  const auto quantize = activations.bfloat16 ? quantizeAs<Bfloat16> : quantizeAs<float>;
  return quantize(activations, segments, rounding, extents, parts, stream);
}

cudaError_t countedUniform(const int64_t* imageIds, uint32_t images, uint32_t elements, const Key& key,
                           float* out, cudaStream_t stream) {
  return launch(drawUniforms, blocksFor(images, elements, 4), kThreads, stream, imageIds, images, elements,
                key, out);
}

}  // namespace sqa::cuda
