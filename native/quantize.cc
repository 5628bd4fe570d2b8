#include "quantize.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <limits>
#include <vector>

#include "cuda.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sqa {
namespace {

struct Extent {
  float minimum = std::numeric_limits<float>::infinity();
  float maximum = -std::numeric_limits<float>::infinity();
  bool finite = true;

  void merge(const Extent& other) {
    minimum = std::min(minimum, other.minimum);
    maximum = std::max(maximum, other.maximum);
    finite = finite && other.finite;
  }
};

// Elements quantized between two refills of the buffer of uniforms: small enough to stay in the first-level cache.
constexpr int64_t kChunk = 1024;

#if defined(__x86_64__)

// As much of an extent as whole groups of 32 elements give; returns how many elements were seen.
__attribute__((target("avx2"))) int64_t extentAvx2(const float* h, int64_t count, Extent& extent) {
  constexpr int kVectors = 4;  // enough results at a time for the latency of one not to be waited for
  __m256 minimum[kVectors], maximum[kVectors], product[kVectors];
  for (int i = 0; i < kVectors; i++) {
    minimum[i] = _mm256_set1_ps(std::numeric_limits<float>::infinity());
    maximum[i] = _mm256_set1_ps(-std::numeric_limits<float>::infinity());
    product[i] = _mm256_setzero_ps();
  }
  int64_t base = 0;
  for (; base + 8 * kVectors <= count; base += 8 * kVectors) {
    for (int i = 0; i < kVectors; i++) {
      const __m256 value = _mm256_loadu_ps(h + base + 8 * i);
      minimum[i] = _mm256_min_ps(value, minimum[i]);  // the second where the first is NaN
      maximum[i] = _mm256_max_ps(value, maximum[i]);
      product[i] = _mm256_add_ps(product[i], _mm256_mul_ps(value, _mm256_setzero_ps()));
    }
  }
  alignas(32) float lowest[8], highest[8], products[8];
  for (int i = 0; i < kVectors; i++) {
    _mm256_store_ps(lowest, minimum[i]);
    _mm256_store_ps(highest, maximum[i]);
    _mm256_store_ps(products, product[i]);
    for (int lane = 0; lane < 8; lane++) {
      extent.merge({lowest[lane], highest[lane], products[lane] == 0.0f});
    }
  }
  return base;
}

#endif

Extent extentOf(const float* h, int64_t count) {
  Extent extent;
  int64_t base = 0;
#if defined(__x86_64__)
  static const bool avx2 = __builtin_cpu_supports("avx2");
  if (avx2) base = extentAvx2(h, count, extent);
#endif
  float product = 0;  // stays zero unless a value is NaN or infinite
  for (; base < count; base++) {
    extent.minimum = std::min(extent.minimum, h[base]);
    extent.maximum = std::max(extent.maximum, h[base]);
    product += h[base] * 0.0f;
  }
  extent.finite = extent.finite && product == 0.0f;
  return extent;
}

SQA_CLONES void quantizeRow(const float* h, const float* u, float* y, int64_t count, float minimum, float width,
                            float lambda) {
  for (int64_t i = 0; i < count; i++) {
    float g = (h[i] - minimum) / width * lambda;
    float level = static_cast<float>(static_cast<int32_t>(g));  // g >= 0, so truncation is floor
    level += u[i] < g - level ? 1.0f : 0.0f;
    level = level < lambda ? level : lambda;  // guards against rounding of g above lambda
    y[i] = level / lambda * width + minimum;
  }
}

// Copies a constant range and marks one that is not finite; true when nothing is left to quantize.
bool settleDegenerate(const float* h, float* y, int64_t count, const Extent& extent) {
  float width = extent.maximum - extent.minimum;
  if (extent.finite && std::isfinite(width)) {
    if (width > 0) return false;
    std::copy(h, h + count, y);
  } else {
    std::fill(y, y + count, std::numeric_limits<float>::quiet_NaN());
  }
  return true;
}

// Where uniforms come from: given ones, none (nearest rounding is stochastic rounding with u = 0.5), or counted ones.
class Uniforms {
 public:
  Uniforms(const at::Tensor& given, bool nearest, const NoiseKey& key, const at::Tensor& imageIds)
      : given_(given), nearest_(nearest), key_(key), ids_(imageIds.defined() ? imageIds.data_ptr<int64_t>() : nullptr) {}

  // Uniforms of the elements [first, first + count) of one image, in row-major order; first is a multiple of 4.
  const float* at(int64_t image, int64_t first, int64_t count, float* buffer) const {
    if (given_.defined()) return given_.data_ptr<float>() + image * (given_.numel() / given_.size(0)) + first;
    if (nearest_) {
      // u < frac is false at frac = 0.5; the largest float below one half rounds half up.
      std::fill(buffer, buffer + count, 0.49999997f);
    } else {
      uniformBlocks(key_, static_cast<uint32_t>(ids_[image]), first / 4, 1, (count + 3) / 4, buffer, 4, 1);
    }
    return buffer;
  }

  bool counted() const { return !given_.defined() && !nearest_; }
  const NoiseKey& key() const { return key_; }
  uint32_t imageId(int64_t image) const { return static_cast<uint32_t>(ids_[image]); }

 private:
  const at::Tensor& given_;
  bool nearest_;
  NoiseKey key_;
  const int64_t* ids_;
};

// One run of `count` elements of an image, starting at element `offset`, that share minimum and maximum.
void quantizeRun(const float* h, float* y, int64_t count, int64_t image, int64_t offset, const Extent& extent,
                 float lambda, const Uniforms& uniforms) {
  if (settleDegenerate(h, y, count, extent)) return;
  float buffer[kChunk + 4];
  const int64_t lead = offset % 4;  // counter blocks hold four elements: start at a block's first
  for (int64_t begin = 0; begin < count; begin += kChunk - 4) {
    const int64_t length = std::min(count - begin, kChunk - 4);
    const float* u = uniforms.at(image, offset - lead + begin, length + lead, buffer) + lead;
    quantizeRow(h + begin, u, y + begin, length, extent.minimum, extent.maximum - extent.minimum, lambda);
  }
}

// An image stored channels-last, (pixels, channels), quantized in memory order; pixels are a multiple of 4, so that a
// counter block is four neighboring pixels of one channel.
void quantizeChannelsLast(const float* h, float* y, int64_t pixels, int64_t channels, int64_t image,
                          const Extent& extent, float lambda, const Uniforms& uniforms) {
  if (settleDegenerate(h, y, pixels * channels, extent)) return;
  thread_local std::vector<float> buffer;
  buffer.resize(4 * channels);
  for (int64_t pixel = 0; pixel < pixels; pixel += 4) {
    uniformBlocks(uniforms.key(), uniforms.imageId(image), pixel / 4, pixels / 4, channels, buffer.data(), 1, channels);
    quantizeRow(h + pixel * channels, buffer.data(), y + pixel * channels, 4 * channels, extent.minimum,
                extent.maximum - extent.minimum, lambda);
  }
}

at::Tensor quantizeForward(at::Tensor h, float lambda, Range range, const Uniforms& uniforms) {
  const int64_t images = h.size(0);
  if (h.numel() == 0) return h.clone();
  const int64_t elements = h.numel() / images;
  const int64_t channels = h.dim() > 1 ? h.size(1) : 1;
  const int64_t pixels = elements / channels;
  const bool channelsLast = h.dim() == 4 && channels > 1 && pixels > 1 && pixels % 4 == 0 && range != Range::channel &&
                            uniforms.counted() && h.is_contiguous(at::MemoryFormat::ChannelsLast);
  if (!channelsLast) h = h.contiguous();
  at::Tensor y = at::empty_like(h);
  const float* from = h.data_ptr<float>();
  float* to = y.data_ptr<float>();

  Extent batch;
  if (range == Range::batch) {
    std::vector<Extent> extents(images);
    at::parallel_for(0, images, 1, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; n++) extents[n] = extentOf(from + n * elements, elements);
    });
    for (const Extent& extent : extents) batch.merge(extent);
  }
  at::parallel_for(0, images, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const float* image = from + n * elements;
      float* out = to + n * elements;
      if (range == Range::channel) {
        for (int64_t c = 0; c < channels; c++) {
          const int64_t offset = c * pixels;
          quantizeRun(image + offset, out + offset, pixels, n, offset, extentOf(image + offset, pixels), lambda, uniforms);
        }
        continue;
      }
      const Extent extent = range == Range::batch ? batch : extentOf(image, elements);
      if (channelsLast) {
        quantizeChannelsLast(image, out, pixels, channels, n, extent, lambda, uniforms);
      } else {
        quantizeRun(image, out, elements, n, 0, extent, lambda, uniforms);
      }
    }
  });
  return y;
}

// Passes the gradient of the quantized values on to the values that they were made from, unchanged.
struct StraightThrough : torch::autograd::Function<StraightThrough> {
  static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor&, const at::Tensor& quantized) {
    return quantized;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 torch::autograd::variable_list gradients) {
    return {gradients[0], at::Tensor()};
  }
};

}  // namespace

void checkImageIds(const at::Tensor& imageIds, int64_t images) {
  TORCH_CHECK(imageIds.defined(), "stochastic rounding needs image ids or uniforms");
  TORCH_CHECK(imageIds.device().is_cpu(), "image ids must be on the CPU, not on ", imageIds.device());
  TORCH_CHECK(imageIds.scalar_type() == at::kLong && imageIds.dim() == 1 && imageIds.size(0) == images &&
                  imageIds.is_contiguous(),
              "image ids must be int64 of shape [", images, "], not ", imageIds.scalar_type(), " ", imageIds.sizes());
  const int64_t* ids = imageIds.data_ptr<int64_t>();
  for (int64_t i = 0; i < images; i++) {
    TORCH_CHECK(ids[i] >= 0 && ids[i] <= 0xffffffffll, "image ids must lie in 0 .. 2^32 - 1, not ", ids[i]);
  }
}

void quantizeImage(const float* h, float* y, int64_t pixels, int64_t channels, const ImageQuantization& quantization,
                   int64_t image) {
  const int64_t elements = pixels * channels;
  const Extent extent = extentOf(h, elements);
  if (settleDegenerate(h, y, elements, extent)) return;
  const float lambda = static_cast<float>(quantization.lambda), width = extent.maximum - extent.minimum;
  const at::Tensor none;
  const Uniforms uniforms(none, quantization.nearest, quantization.key, quantization.imageIds);
  thread_local std::vector<float> buffer;
  if (quantization.nearest) {
    buffer.resize(kChunk);
    uniforms.at(image, 0, kChunk, buffer.data());
    for (int64_t i = 0; i < elements; i += kChunk) {
      const int64_t count = std::min(kChunk, elements - i);
      quantizeRow(h + i, buffer.data(), y + i, count, extent.minimum, width, lambda);
    }
  } else if (pixels % 4 == 0) {
    quantizeChannelsLast(h, y, pixels, channels, image, extent, lambda, uniforms);
  } else {
    // A counter block lies across channels: draw the image's uniforms in row-major order, then bring them into memory order.
    buffer.resize(2 * elements + 4);
    float* ordered = buffer.data();
    float* drawn = ordered + elements;
    uniforms.at(image, 0, elements, drawn);
    for (int64_t p = 0; p < pixels; p++) {
      for (int64_t c = 0; c < channels; c++) ordered[p * channels + c] = drawn[c * pixels + p];
    }
    quantizeRow(h, ordered, y, elements, extent.minimum, width, lambda);
  }
}

at::Tensor quantizeActivation(const at::Tensor& h, int64_t lambda, Range range, bool nearest, const NoiseKey& key,
                              const at::Tensor& imageIds, const at::Tensor& uniforms) {
  const bool isFloat = h.scalar_type() == at::kFloat;
  TORCH_CHECK((isFloat && h.is_cpu()) || ((isFloat || h.scalar_type() == at::kBFloat16) && h.is_cuda()),
              "activations must be float32 on the CPU, or float32 or bfloat16 on a CUDA device, not ", h.scalar_type(),
              " on ", h.device());
  TORCH_CHECK(h.dim() >= 2, "activations must have a batch and a feature axis, not shape ", h.sizes());
  TORCH_CHECK(range != Range::channel || h.dim() >= 3,
              "range channel needs activations of shape (N, C, ...), not ", h.sizes());
  TORCH_CHECK(!uniforms.defined() || (uniforms.scalar_type() == at::kFloat && uniforms.sizes() == h.sizes()),
              "uniforms must be float32 ", h.sizes(), ", not ", uniforms.scalar_type(), " ", uniforms.sizes());
  at::Tensor quantized;
  if (h.is_cuda()) {
    quantized = quantizeOnCuda(h.detach(), lambda, range, nearest, key, imageIds, uniforms);
  } else {
    at::Tensor given;
    if (uniforms.defined()) {
      TORCH_CHECK(uniforms.device().is_cpu(), "uniforms must be on the CPU, not on ", uniforms.device());
      given = uniforms.contiguous();
    } else if (!nearest) {
      checkImageIds(imageIds, h.size(0));
    }
    quantized = quantizeForward(h.detach(), static_cast<float>(lambda), range, Uniforms(given, nearest, key, imageIds));
  }
  if (!h.requires_grad() || !at::GradMode::is_enabled()) return quantized;
  return StraightThrough::apply(h, quantized);
}

at::Tensor countedUniform(const at::Tensor& imageIds, at::IntArrayRef elementShape, const NoiseKey& key) {
  TORCH_CHECK(imageIds.dim() == 1, "image ids must have one axis, not shape ", imageIds.sizes());
  std::vector<int64_t> shape{imageIds.size(0)};
  shape.insert(shape.end(), elementShape.begin(), elementShape.end());
  if (imageIds.is_cuda()) return countedUniformOnCuda(imageIds, shape, key);
  checkImageIds(imageIds, imageIds.size(0));
  at::Tensor out = at::empty(shape, at::kFloat);
  if (out.numel() == 0) return out;
  const int64_t elements = out.numel() / imageIds.size(0);
  const int64_t* ids = imageIds.data_ptr<int64_t>();
  float* to = out.data_ptr<float>();
  at::parallel_for(0, imageIds.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      float* image = to + n * elements;
      const int64_t whole = elements / 4;
      uniformBlocks(key, static_cast<uint32_t>(ids[n]), 0, 1, whole, image, 4, 1);
      if (whole * 4 < elements) {
        float last[4];
        uniformBlocks(key, static_cast<uint32_t>(ids[n]), whole, 1, 1, last, 4, 1);
        std::copy(last, last + (elements - whole * 4), image + whole * 4);
      }
    }
  });
  return out;
}

}  // namespace sqa
