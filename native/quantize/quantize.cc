#include "quantize/quantize.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "cuda/cuda.h"
#include "memory/parallel.h"
#include "quantize/kernels.h"

namespace sqa {
namespace {

// The source of uniforms: given ones, none (rounding to nearest), or counted ones.
class Uniforms {
 public:
  Uniforms(const at::Tensor& given, bool nearest, const NoiseKey& key, const at::Tensor& imageIds)
      : given_(given),
        nearest_(nearest),
        key_(key),
        ids_(imageIds.defined() ? imageIds.data_ptr<int64_t>() : nullptr) {}

  // The uniforms of an image, in row-major order, until the thread's next call; null for rounding to nearest.
  const float* of(int64_t image, int64_t elements) const {
    if (given_.defined()) return given_.data_ptr<float>() + image * elements;
    if (nearest_) return nullptr;
    thread_local std::vector<float> buffer;
    buffer.resize(elements);
    roundingUniforms(key_, imageId(image), elements, buffer.data());
    return buffer.data();
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

at::Tensor quantizeForward(at::Tensor h, float lambda, Range range, const Uniforms& uniforms) {
  const int64_t images = h.size(0);
  if (h.numel() == 0) return h.clone();
  const int64_t elements = h.numel() / images;
  const int64_t channels = h.dim() > 1 ? h.size(1) : 1;
  const int64_t pixels = elements / channels;
  const bool channelsLast = h.dim() == 4 && channels > 1 && pixels > 1 && range != Range::channel &&
                            uniforms.counted() && h.is_contiguous(at::MemoryFormat::ChannelsLast);
  if (!channelsLast) h = h.contiguous();
  at::Tensor y = at::empty_like(h);
  const float* from = h.data_ptr<float>();
  float* to = y.data_ptr<float>();

  Extent batch;
  if (range == Range::batch) {
    std::vector<Extent> extents(images);
    parallelFor(images, kImagesTaken, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; n++) extents[n] = extentOf(from + n * elements, elements);
    });
    for (const Extent& extent : extents) batch.merge(extent);
  }
  parallelFor(images, kImagesTaken, [&](int64_t begin, int64_t end) {
    ChannelsLastQuantizer quantizer(pixels, channels, pixels, lambda, &uniforms.key());
    for (int64_t n = begin; n < end; n++) {
      const float* image = from + n * elements;
      float* out = to + n * elements;
      if (channelsLast) {
        quantizer.begin(image, range == Range::batch ? batch : extentOf(image, elements),
                        uniforms.imageId(n));
        quantizer.quantize(0, pixels, out);
        continue;
      }
      const float* u = uniforms.of(n, elements);
      const int64_t segment = range == Range::channel ? pixels : elements;
      for (int64_t first = 0; first < elements; first += segment) {
        const Extent extent = range == Range::batch ? batch : extentOf(image + first, segment);
        quantizeElements(image + first, u == nullptr ? u : u + first, out + first, segment, extent, lambda);
      }
    }
  });
  return y;
}

// Passes the gradient of the quantized values on to the values that they were made from, unchanged.
struct StraightThrough : torch::autograd::Function<StraightThrough> {
  static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor&,
                            const at::Tensor& quantized) {
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
              "image ids must be int64 of shape [", images, "], not ", imageIds.scalar_type(), " ",
              imageIds.sizes());
  const int64_t* ids = imageIds.data_ptr<int64_t>();
  for (int64_t i = 0; i < images; i++) {
    TORCH_CHECK(ids[i] >= 0 && ids[i] <= 0xffffffffll, "image ids must lie in 0 .. 2^32 - 1, not ", ids[i]);
  }
}

void checkWords(const at::Tensor& words) {
  TORCH_CHECK(
      words.scalar_type() == at::kLong && words.dim() == 1 && words.size(0) == 3 && words.is_contiguous(),
      "the words of a seed must be int64 of shape [3], not ", words.scalar_type(), " ", words.sizes());
}

NoiseKey keyOf(const NoiseSource& noise) {
  if (!noise.words.defined()) return noise.key;
  checkWords(noise.words);
  TORCH_CHECK(noise.words.is_cpu(), "the words of a seed must be on the CPU, not on ", noise.words.device());
  return keyFrom(noise.words.data_ptr<int64_t>(), noise.key);
}

at::Tensor quantizeActivation(const at::Tensor& h, int64_t lambda, Range range, bool nearest,
                              const NoiseSource& noise, const at::Tensor& imageIds,
                              const at::Tensor& uniforms) {
  TORCH_CHECK(
      (h.scalar_type() == at::kFloat || h.scalar_type() == at::kBFloat16) && (h.is_cpu() || h.is_cuda()),
      "activations must be float32 or bfloat16 on the CPU or a CUDA device, not ", h.scalar_type(), " on ",
      h.device());
  TORCH_CHECK(h.dim() >= 2, "activations must have a batch and a feature axis, not shape ", h.sizes());
  TORCH_CHECK(range != Range::channel || h.dim() >= 3,
              "range channel needs activations of shape (N, C, ...), not ", h.sizes());
  TORCH_CHECK(!uniforms.defined() || (uniforms.scalar_type() == at::kFloat && uniforms.sizes() == h.sizes()),
              "uniforms must be float32 ", h.sizes(), ", not ", uniforms.scalar_type(), " ",
              uniforms.sizes());
  at::Tensor quantized;
  if (h.is_cuda()) {
    quantized = quantizeOnCuda(h.detach(), lambda, range, nearest, noise, imageIds, uniforms);
  } else {
    at::Tensor given;
    if (uniforms.defined()) {
      TORCH_CHECK(uniforms.device().is_cpu(), "uniforms must be on the CPU, not on ", uniforms.device());
      given = uniforms.contiguous();
    } else if (!nearest) {
      checkImageIds(imageIds, h.size(0));
    }
    quantized = quantizeForward(h.detach().to(at::kFloat), static_cast<float>(lambda), range,
                                Uniforms(given, nearest, keyOf(noise), imageIds))
                    .to(h.scalar_type());
  }
  if (!h.requires_grad() || !at::GradMode::is_enabled()) return quantized;
  return StraightThrough::apply(h, quantized);
}

at::Tensor countedUniform(const at::Tensor& imageIds, at::IntArrayRef elementShape,
                          const NoiseSource& noise) {
  TORCH_CHECK(imageIds.dim() == 1, "image ids must have one axis, not shape ", imageIds.sizes());
  std::vector<int64_t> shape{imageIds.size(0)};
  shape.insert(shape.end(), elementShape.begin(), elementShape.end());
  if (imageIds.is_cuda()) return countedUniformOnCuda(imageIds, shape, noise);
  const NoiseKey key = keyOf(noise);
  checkImageIds(imageIds, imageIds.size(0));
  at::Tensor out = at::empty(shape, at::kFloat);
  if (out.numel() == 0) return out;
  const int64_t elements = out.numel() / imageIds.size(0);
  const int64_t* ids = imageIds.data_ptr<int64_t>();
  float* to = out.data_ptr<float>();
  parallelFor(imageIds.size(0), kImagesTaken, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      sqa::uniforms(key, static_cast<uint32_t>(ids[n]), elements, to + n * elements);
    }
  });
  return out;
}

}  // namespace sqa
