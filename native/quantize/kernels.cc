#include "quantize/kernels.h"

#include <algorithm>
#include <cmath>

#include "quantize/vector_kernels.h"

namespace sqa {
namespace {

inline float quantized(float h, float uniform, const Levels& levels) {
  const float g = (h - levels.minimum) / levels.width * levels.lambda;
  float level = static_cast<float>(static_cast<int32_t>(g));  // g >= 0, so truncation is floor
  level += uniform < g - level ? 1.0f : 0.0f;
  level = level < levels.lambda ? level : levels.lambda;  // guards against rounding of g above lambda
  return levels.value(level);
}

const QuantizerKernels* vectorKernels() {
  static const QuantizerKernels* const kernels = quantizerKernels(instructionSet());
  return kernels;
}

// Copies a constant extent and marks one that is not finite; true when nothing is left to quantize.
bool settleDegenerate(const float* h, float* y, int64_t count, const Extent& extent) {
  const float width = extent.maximum - extent.minimum;
  if (extent.finite && std::isfinite(width)) {
    if (width > 0) return false;
    std::copy(h, h + count, y);
  } else {
    std::fill(y, y + count, std::numeric_limits<float>::quiet_NaN());
  }
  return true;
}

}  // namespace

void Extent::merge(const Extent& other) {
  minimum = std::min(minimum, other.minimum);
  maximum = std::max(maximum, other.maximum);
  finite = finite && other.finite;
}

Extent extentOf(const float* h, int64_t count) {
  Extent extent;
  const QuantizerKernels* kernels = vectorKernels();
  int64_t base = kernels == nullptr ? 0 : kernels->extent(h, count, extent);
  float product = 0;  // stays zero unless a value is NaN or infinite
  for (; base < count; base++) {
    extent.minimum = std::min(extent.minimum, h[base]);
    extent.maximum = std::max(extent.maximum, h[base]);
    product += h[base] * 0.0f;
  }
  extent.finite = extent.finite && product == 0.0f;
  return extent;
}

void quantizeElements(const float* h, const float* uniforms, float* y, int64_t count, const Extent& extent,
                      float lambda) {
  if (settleDegenerate(h, y, count, extent)) return;
  const Levels levels(extent, lambda);
  const QuantizerKernels* kernels = vectorKernels();
  const auto values = static_cast<int>(valuesOf(lambda));
  int64_t i = kernels == nullptr ? 0 : kernels->elements[values](h, uniforms, y, count, levels);
  for (; i < count; i++)
    y[i] = quantized(h[i], uniforms == nullptr ? kUniformToNearest : uniforms[i], levels);
}

ChannelsLastQuantizer::ChannelsLastQuantizer(int64_t pixels, int64_t channels, int64_t band, float lambda,
                                             const NoiseKey* key)
    : pixels_(pixels), channels_(channels), lambda_(lambda), key_(key) {
  if (key == nullptr || vectorKernels() == nullptr || channels % 16 != 0) return;
  drawing_ = pixels % 4 == 0 && band % 4 == 0 ? Drawing::byBand : Drawing::byWord;
}

void ChannelsLastQuantizer::begin(const float* h, const Extent& extent, uint32_t imageId) {
  h_ = h;
  extent_ = extent;
  imageId_ = imageId;
  if (key_ == nullptr || drawing_ == Drawing::byBand) return;
  const int64_t elements = pixels_ * channels_;
  if (drawing_ == Drawing::byWord) {
    drawnWords_.resize(elements / 2);
    words_.resize(elements / 2);
    noiseWords(*key_, imageId, elements / 8, drawnWords_.data());
    vectorKernels()->transpose(drawnWords_.data(), channels_ / 2, pixels_, words_.data());
    return;
  }
  drawn_.resize(elements);
  uniforms_.resize(elements);
  roundingUniforms(*key_, imageId, elements, drawn_.data());
  for (int64_t p = 0; p < pixels_; p++) {
    for (int64_t c = 0; c < channels_; c++) uniforms_[p * channels_ + c] = drawn_[c * pixels_ + p];
  }
}

void ChannelsLastQuantizer::quantize(int64_t first, int64_t count, float* y) {
  const float* h = h_ + first * channels_;
  if (drawing_ == Drawing::byElement) {
    const float* uniforms = key_ == nullptr ? nullptr : uniforms_.data() + first * channels_;
    quantizeElements(h, uniforms, y, count * channels_, extent_, lambda_);
    return;
  }
  if (settleDegenerate(h, y, count * channels_, extent_)) return;
  const Levels levels(extent_, lambda_);
  const auto values = static_cast<int>(valuesOf(lambda_));
  if (drawing_ == Drawing::byBand) {
    vectorKernels()->band[values]({h, y, first, count, pixels_, channels_, *key_, imageId_}, levels);
  } else {
    const int64_t half = channels_ / 2;
    vectorKernels()->pixels[values](h, words_.data() + first * half, y, count, half, levels);
  }
}

}  // namespace sqa
