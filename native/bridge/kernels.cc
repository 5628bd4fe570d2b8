// The kernels of our own, for JavaScript.
#include <ATen/ATen.h>

#include <algorithm>
#include <optional>

#include "bridge/bridge.h"
#include "bridge/convert.h"
#include "conv/block.h"
#include "elementwise/sgd.h"
#include "elementwise/sign_step.h"
#include "products/layer.h"
#include "quantize/quantize.h"
#include "quantize/weighted_draws.h"
#include "tiles/convolution.h"

namespace sqa {
namespace {

at::Tensor optionalTensor(napi_env env, napi_value value) {
  return isNullish(env, value) ? at::Tensor() : unwrapTensor(env, value);
}

// seed low, seed high, draw, stream, words | null
NoiseSource noiseSource(napi_env env, const Arguments& arguments, size_t first) {
  uint32_t words[4];
  for (size_t i = 0; i < 4; i++) {
    int64_t word = toInt(env, arguments[first + i], "a 32-bit word of the noise key");
    if (word < 0 || word > 0xffffffffll)
      throw std::invalid_argument("a word of the noise key lies outside 0 .. 2^32 - 1");
    words[i] = static_cast<uint32_t>(word);
  }
  return {{words[0], words[1], words[2], words[3]}, optionalTensor(env, arguments[first + 4])};
}

// quantizeActivation(h, lambda, range, nearest, ...noise source, image ids | null, uniforms | null)
napi_value quantize(napi_env env, const Arguments& arguments) {
  int64_t lambda = toInt(env, arguments[1], "lambda");
  int64_t range = toInt(env, arguments[2], "a range");
  if (lambda < 1 || lambda > (1 << 20)) throw std::invalid_argument("lambda must lie in 1 .. 2^20");
  if (range < 0 || range > 2) throw std::invalid_argument("unknown range");
  bool nearest = toBool(env, arguments[3]);
  return wrapTensor(
      env, quantizeActivation(unwrapTensor(env, arguments[0]), lambda, static_cast<Range>(range), nearest,
                              noiseSource(env, arguments, 4), optionalTensor(env, arguments[9]),
                              optionalTensor(env, arguments[10])));
}

// countedUniform(image ids, element shape, ...noise source)
napi_value uniform(napi_env env, const Arguments& arguments) {
  // Lists first: to read one may run JavaScript, which may dispose a tensor.
  const auto sizes = toInts(env, arguments[1], "sizes");
  return wrapTensor(env,
                    countedUniform(unwrapTensor(env, arguments[0]), sizes, noiseSource(env, arguments, 2)));
}

// convBlock(input, weight, bias, bfloat16, lambda | 0 for no quantization, nearest, ...noise source, image
// ids | null)
napi_value block(napi_env env, const Arguments& arguments) {
  const bool bfloat16 = toBool(env, arguments[3]);
  int64_t lambda = toInt(env, arguments[4], "lambda");
  if (lambda < 0 || lambda > (1 << 20)) throw std::invalid_argument("lambda must lie in 0 .. 2^20");
  std::optional<ImageQuantization> quantization;
  if (lambda > 0) {
    bool nearest = toBool(env, arguments[5]);
    quantization = ImageQuantization{lambda, nearest, keyOf(noiseSource(env, arguments, 6)),
                                     optionalTensor(env, arguments[11])};
  }
  return wrapTensor(env, convBlock(unwrapTensor(env, arguments[0]), unwrapTensor(env, arguments[1]),
                                   unwrapTensor(env, arguments[2]), quantization, bfloat16));
}

// sgdUpdate(parameters, gradients, velocities, factor, momentum, weight decay, nesterov)
napi_value sgd(napi_env env, const Arguments& arguments) {
  const SgdOptions options{static_cast<float>(toDouble(env, arguments[4], "a momentum")),
                           static_cast<float>(toDouble(env, arguments[5], "a weight decay")),
                           toBool(env, arguments[6])};
  const auto parameters = toTensors(env, arguments[0]);
  const auto gradients = toTensors(env, arguments[1]);
  const auto velocities = toTensors(env, arguments[2]);
  sgdUpdate(parameters, gradients, velocities, unwrapTensor(env, arguments[3]), options);
  return nullptr;
}

// points, gradient, length, images | null, radius
void stepTo(const at::Tensor& to, napi_env env, const Arguments& arguments) {
  std::optional<SignStepBall> ball;
  if (!isNullish(env, arguments[3])) {
    ball = SignStepBall{unwrapTensor(env, arguments[3]),
                        static_cast<float>(toDouble(env, arguments[4], "a radius"))};
  }
  signStep(to, unwrapTensor(env, arguments[0]), unwrapTensor(env, arguments[1]),
           static_cast<float>(toDouble(env, arguments[2], "a length")), ball);
}

napi_value stepToNew(napi_env env, const Arguments& arguments) {
  const at::Tensor to = at::empty_like(unwrapTensor(env, arguments[0]));
  stepTo(to, env, arguments);
  return wrapTensor(env, to);
}

// weightedDraws(weights, uniforms)
napi_value draws(napi_env env, const Arguments& arguments) {
  return wrapTensor(env, weightedDraws(unwrapTensor(env, arguments[0]), unwrapTensor(env, arguments[1])));
}

napi_value stepInPlace(napi_env env, const Arguments& arguments) {
  stepTo(unwrapTensor(env, arguments[0]), env, arguments);
  return nullptr;
}

Geometry geometryOf(napi_env env, napi_value value) {
  const auto sizes = toInts(env, value, "a kernel's geometry");
  if (sizes.size() != 6) throw std::invalid_argument("a kernel's geometry is six numbers");
  constexpr int64_t kMost = 1 << 20;
  for (size_t i = 0; i < 6; i++) {
    if (sizes[i] < (i < 4 ? 1 : 0) || sizes[i] > kMost)
      throw std::invalid_argument("a number of a kernel's geometry is out of range");
  }
  return {sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]};
}

// packWeights(weight, [kernel height, width, stride y, x, padding y, x], [height, width] of images)
napi_value pack(napi_env env, const Arguments& arguments) {
  const Geometry geometry = geometryOf(env, arguments[1]);
  const auto sides = toInts(env, arguments[2], "sides of images");
  if (sides.size() != 2) throw std::invalid_argument("sides of images are two numbers");
  const auto side = [&](size_t axis) { return std::clamp<int64_t>(sides[axis], 0, 1 << 20); };
  const PackedWeights packed = packWeights(unwrapTensor(env, arguments[0]), geometry, {side(0), side(1)});
  napi_value pair;
  napi_create_array_with_length(env, 2, &pair);
  napi_set_element(env, pair, 0, wrapTensor(env, packed.forward));
  napi_set_element(env, pair, 1, wrapTensor(env, packed.backward));
  return pair;
}

// packedLayer(input, residual | null, packed forward, packed backward, weight, bias | null, in, out,
// geometry, is linear, relu)
napi_value layer(napi_env env, const Arguments& arguments) {
  const Geometry geometry = geometryOf(env, arguments[8]);
  const int64_t in = toInt(env, arguments[6], "channels in"), out = toInt(env, arguments[7], "channels out");
  constexpr int64_t kMost = 1 << 24;
  if (in < 1 || out < 1 || in > kMost || out > kMost)
    throw std::invalid_argument("channels must lie in 1 .. 2^24");
  const bool isLinear = toBool(env, arguments[9]);
  const bool relu = toBool(env, arguments[10]);
  const PackedWeights weights{unwrapTensor(env, arguments[2]), unwrapTensor(env, arguments[3])};
  const at::Tensor input = unwrapTensor(env, arguments[0]), residual = optionalTensor(env, arguments[1]);
  const at::Tensor weight = unwrapTensor(env, arguments[4]), bias = optionalTensor(env, arguments[5]);
  return wrapTensor(
      env, packedLayer(input, residual, weights, weight, bias, in, out, geometry, isLinear, relu));
}

// tiledConvolution(input, weight)
napi_value tiled(napi_env env, const Arguments& arguments) {
  return wrapTensor(env, tiledConvolution(unwrapTensor(env, arguments[0]), unwrapTensor(env, arguments[1])));
}

// tiledChannels(): what their numbers must be multiples of
napi_value channels(napi_env env, const Arguments&) {
  return fromNumber(env, static_cast<double>(tiledChannels()));
}

// version(tensor): counts what is written to it
napi_value version(napi_env env, const Arguments& arguments) {
  return fromNumber(env, static_cast<double>(unwrapTensor(env, arguments[0])._version()));
}

}  // namespace

void defineKernels(napi_env env, napi_value exports) {
  define<quantize, 11>(env, exports, "quantizeActivation");
  define<block, 12>(env, exports, "convBlock");
  define<uniform, 7>(env, exports, "countedUniform");
  define<pack, 3>(env, exports, "packWeights");
  define<layer, 11>(env, exports, "packedLayer");
  define<tiled, 2>(env, exports, "tiledConvolution");
  define<channels, 0>(env, exports, "tiledChannels");
  define<version, 1>(env, exports, "version");
  define<sgd, 7>(env, exports, "sgdUpdate");
  define<stepToNew, 5>(env, exports, "signStep");
  define<stepInPlace, 5>(env, exports, "signStep_");
  define<draws, 2>(env, exports, "weightedDraws");
}

}  // namespace sqa
