#include "quantize_kernels.h"

#include <algorithm>
#include <cmath>

#include "philox_avx2.h"

// A function is compiled for several instruction sets and chosen at run time; with -ffp-contract=off all give the
// same bits.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SQA_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SQA_CLONES
#endif

namespace sqa {
namespace {

// The levels between which values are rounded.
struct Levels {
  float minimum, width, lambda;

  Levels(const Extent& extent, float lambda)
      : minimum(extent.minimum), width(extent.maximum - extent.minimum), lambda(lambda) {}

  float value(float level) const { return level / lambda * width + minimum; }
};

inline float quantized(float h, float uniform, const Levels& levels) {
  const float g = (h - levels.minimum) / levels.width * levels.lambda;
  float level = static_cast<float>(static_cast<int32_t>(g));  // g >= 0, so truncation is floor
  level += uniform < g - level ? 1.0f : 0.0f;
  level = level < levels.lambda ? level : levels.lambda;  // guards against rounding of g above lambda
  return levels.value(level);
}

SQA_CLONES void quantizeByUniforms(const float* h, const float* uniforms, float* y, int64_t count, Levels levels) {
  for (int64_t i = 0; i < count; i++) y[i] = quantized(h[i], uniforms[i], levels);
}

SQA_CLONES void quantizeToNearest(const float* h, float* y, int64_t count, Levels levels) {
  // u < frac is false at frac = 0.5; the largest float below one half rounds half up.
  for (int64_t i = 0; i < count; i++) y[i] = quantized(h[i], 0.49999997f, levels);
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

// Levels for vectors. A table holds the values of up to eight, and saves a division an element.
struct LevelVectors {
  __m256 minimum, width, lambda, table, lowest, next;
};

SQA_AVX2_INLINE LevelVectors levelVectors(const Levels& levels) {
  float values[8];
  for (int level = 0; level < 8; level++) values[level] = levels.value(static_cast<float>(level));
  return {_mm256_set1_ps(levels.minimum), _mm256_set1_ps(levels.width), _mm256_set1_ps(levels.lambda),
          _mm256_loadu_ps(values), _mm256_set1_ps(values[0]), _mm256_set1_ps(values[1])};
}

// How a kernel finds the values of levels: of two, it chooses one; of up to eight, from a table; of more, by a division.
enum class Values { two, table, computed };

// Eight of `quantized`, the same bits.
template <Values kValues>
SQA_AVX2_INLINE void quantizeEight(const float* h, float* y, __m256 uniforms, const LevelVectors& levels) {
  const __m256 scaled = _mm256_div_ps(_mm256_sub_ps(_mm256_loadu_ps(h), levels.minimum), levels.width);
  if (kValues == Values::two) {
    const __m256 up = _mm256_cmp_ps(uniforms, scaled, _CMP_LT_OQ);
    _mm256_storeu_ps(y, _mm256_blendv_ps(levels.lowest, levels.next, up));
    return;
  }
  const __m256 g = _mm256_mul_ps(scaled, levels.lambda);
  const __m256 floor = _mm256_round_ps(g, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  const __m256 up = _mm256_cmp_ps(uniforms, _mm256_sub_ps(g, floor), _CMP_LT_OQ);
  const __m256 level = _mm256_min_ps(_mm256_add_ps(floor, _mm256_and_ps(up, _mm256_set1_ps(1.0f))), levels.lambda);
  if (kValues == Values::table) {
    _mm256_storeu_ps(y, _mm256_permutevar8x32_ps(levels.table, _mm256_cvttps_epi32(level)));
  } else {
    const __m256 value = _mm256_mul_ps(_mm256_div_ps(level, levels.lambda), levels.width);
    _mm256_storeu_ps(y, _mm256_add_ps(value, levels.minimum));
  }
}

// Pixels of an image with 16 n channels and 4 m pixels: a counter block lies on four neighboring pixels of channel c, with
// its low halves, and of channel channels / 2 + c. A set is eight such channels c.
struct Band {
  const float* h;
  float* y;
  int64_t first, count, pixels, channels;
  const NoiseKey& key;
  uint32_t image;

  int64_t sets() const { return count / 4 * (channels / 16); }
};

template <Values kValues, int kSets>
SQA_AVX2_INLINE void quantizeSets(const Band& band, int64_t group, int64_t channel, const LevelVectors& levels) {
  const int64_t step = band.pixels / 4;
  const __m256i steps = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(static_cast<int>(step)));
  __m256i counters[kSets], words[kSets][4];
  int64_t places[kSets];
  for (int s = 0; s < kSets; s++) {
    const int64_t counter = channel * step + band.first / 4 + group;
    counters[s] = _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(counter)), steps);
    places[s] = group * 4 * band.channels + channel;
    channel += 8;
    if (channel == band.channels / 2) {
      channel = 0;
      group++;
    }
  }
  philoxBlocks<kSets>(band.key, band.image, counters, words);
  for (int s = 0; s < kSets; s++) {
    for (int w = 0; w < 4; w++) {
      const int64_t low = places[s] + w * band.channels, high = low + band.channels / 2;
      quantizeEight<kValues>(band.h + low, band.y + low, lowUniforms(words[s][w]), levels);
      quantizeEight<kValues>(band.h + high, band.y + high, highUniforms(words[s][w]), levels);
    }
  }
}

template <Values kValues>
__attribute__((target("avx2"))) void quantizeBand(const Band& band, const Levels& levels) {
  const LevelVectors vectors = levelVectors(levels);
  const int64_t perGroup = band.channels / 16;
  int64_t set = 0;
  for (; set + 2 <= band.sets(); set += 2) {
    quantizeSets<kValues, 2>(band, set / perGroup, set % perGroup * 8, vectors);
  }
  if (set < band.sets()) quantizeSets<kValues, 1>(band, set / perGroup, set % perGroup * 8, vectors);
}

#endif

// Whether this machine has a kernel that draws and quantizes in one pass, for such images and bands.
bool hasBands(int64_t pixels, int64_t channels, int64_t band) {
#if defined(__x86_64__)
  static const bool avx2 = __builtin_cpu_supports("avx2");
  return avx2 && pixels % 4 == 0 && band % 4 == 0 && channels % 16 == 0;
#else
  return false;
#endif
}

}  // namespace

void Extent::merge(const Extent& other) {
  minimum = std::min(minimum, other.minimum);
  maximum = std::max(maximum, other.maximum);
  finite = finite && other.finite;
}

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

void quantizeElements(const float* h, const float* uniforms, float* y, int64_t count, const Extent& extent, float lambda) {
  if (settleDegenerate(h, y, count, extent)) return;
  const Levels levels(extent, lambda);
  if (uniforms == nullptr) {
    quantizeToNearest(h, y, count, levels);
  } else {
    quantizeByUniforms(h, uniforms, y, count, levels);
  }
}

ChannelsLastQuantizer::ChannelsLastQuantizer(int64_t pixels, int64_t channels, int64_t band, float lambda,
                                             const NoiseKey* key)
    : pixels_(pixels),
      channels_(channels),
      lambda_(lambda),
      key_(key),
      fused_(key != nullptr && hasBands(pixels, channels, band)) {}

void ChannelsLastQuantizer::begin(const float* h, const Extent& extent, uint32_t imageId) {
  h_ = h;
  extent_ = extent;
  imageId_ = imageId;
  if (key_ == nullptr || fused_) return;
  drawn_.resize(pixels_ * channels_);
  uniforms_.resize(pixels_ * channels_);
  roundingUniforms(*key_, imageId, pixels_ * channels_, drawn_.data());
  for (int64_t p = 0; p < pixels_; p++) {
    for (int64_t c = 0; c < channels_; c++) uniforms_[p * channels_ + c] = drawn_[c * pixels_ + p];
  }
}

void ChannelsLastQuantizer::quantize(int64_t first, int64_t count, float* y) {
  const float* h = h_ + first * channels_;
#if defined(__x86_64__)
  if (fused_) {
    if (settleDegenerate(h, y, count * channels_, extent_)) return;
    const Levels levels(extent_, lambda_);
    const auto quantize = lambda_ == 1  ? quantizeBand<Values::two>
                          : lambda_ < 8 ? quantizeBand<Values::table>
                                        : quantizeBand<Values::computed>;
    quantize({h, y, first, count, pixels_, channels_, *key_, imageId_}, levels);
    return;
  }
#endif
  const float* uniforms = key_ == nullptr ? nullptr : uniforms_.data() + first * channels_;
  quantizeElements(h, uniforms, y, count * channels_, extent_, lambda_);
}

}  // namespace sqa
