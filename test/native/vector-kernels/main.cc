// Prints a hash of what each kernel gives for made-up input, by the instruction set that `instructionSet` chooses. A line is
// "noise", "sqa" or "convolution", what was computed, and the hash; the first line names the set.
#include <cstdio>
#include <cstring>
#include <vector>

#include "conv/kernels.h"
#include "conv/windows.h"
#include "quantize/counted_noise.h"
#include "quantize/kernels.h"

namespace {

using namespace sqa;

// Numbers in (-1, 1), one in eight of them zero, from a counter: no generator of the standard library, which may differ.
std::vector<float> madeUp(int64_t count, uint32_t stream) {
  std::vector<float> values(count);
  for (int64_t i = 0; i < count; i++) {
    uint32_t words[4];
    philoxBlock({11, 12, 13, stream}, 14, static_cast<uint32_t>(i), words);
    values[i] = words[1] % 8 == 0 ? 0.0f : wordUniform(words[0]) * 2 - 1;
  }
  return values;
}

template <class Value>
void print(const char* what, const std::vector<Value>& values) {
  uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
  for (size_t i = 0; i < values.size() * sizeof(Value); i++) hash = (hash ^ bytes[i]) * 0x100000001b3u;
  std::printf("%s %016llx\n", what, static_cast<unsigned long long>(hash));
}

constexpr NoiseKey kKey{3, 4, 5, 6};

void noise(int64_t elements) {
  std::vector<float> whole(elements), halves(elements);
  std::vector<uint32_t> words(elements / 4 * 4);
  uniforms(kKey, 7, elements, whole.data());
  roundingUniforms(kKey, 7, elements, halves.data());
  noiseWords(kKey, 7, elements / 4, words.data());
  char what[64];
  std::snprintf(what, sizeof what, "noise %lld", static_cast<long long>(elements));
  print(what, whole);
  print(what, halves);
  print(what, words);
}

void quantizer(int64_t pixels, int64_t channels, int64_t band, float lambda, bool nearest) {
  std::vector<float> h = madeUp(pixels * channels, 1), y(h.size()), flat(h.size());
  ChannelsLastQuantizer last(pixels, channels, band, lambda, nearest ? nullptr : &kKey);
  const Extent extent = extentOf(h.data(), pixels * channels);
  last.begin(h.data(), extent, 9);
  for (int64_t first = 0; first < pixels; first += band) {
    last.quantize(first, band < pixels - first ? band : pixels - first, y.data() + first * channels);
  }
  const std::vector<float> given = madeUp(pixels * channels, 2);
  quantizeElements(h.data(), nearest ? nullptr : given.data(), flat.data(), pixels * channels, extent, lambda);
  char what[96];
  std::snprintf(what, sizeof what, "sqa %lld pixels, %lld channels, lambda %g%s", static_cast<long long>(pixels),
                static_cast<long long>(channels), lambda, nearest ? ", nearest" : "");
  print(what, y);
  print(what, flat);
}

void convolution(const BlockShape& shape) {
  const ConvKernels& kernels = convKernels(instructionSet());
  char what[96];
  std::snprintf(what, sizeof what, "convolution %lld to %lld channels, %lld x %lld", static_cast<long long>(shape.in),
                static_cast<long long>(shape.out), static_cast<long long>(shape.height), static_cast<long long>(shape.width));
  const std::vector<int32_t> offsets = windowOffsets(shape);
  const int64_t pooledSize = shape.windows() * shape.out, weightCount = 9 * shape.in * shape.out;
  const std::vector<float> image = madeUp(shape.pixels() * shape.in, 1), weights = madeUp(weightCount, 2);
  std::vector<float> padded(shape.paddedInput()), packed(weightCount), bias = madeUp(shape.out, 3);
  std::vector<float> h(shape.pixels() * shape.out), pooled(pooledSize), gradient(shape.paddedGradient());
  std::vector<uint8_t> codes(pooledSize);
  copyPadded(shape, image.data(), padded.data());
  packWeights(shape, kernels.packedTile, weights.data(), packed.data());
  kernels.convolve(shape, padded.data(), offsets.data(), packed.data(), bias.data(), h.data());
  print(what, h);
  std::vector<float> quantized = madeUp(shape.pixels() * shape.out, 4);
  for (const float* y : {h.data(), quantized.data()}) {
    kernels.pool(shape, h.data(), y, pooled.data(), codes.data());
    print(what, pooled);
    print(what, codes);
  }
  const std::vector<float> pooledGradient = madeUp(pooledSize, 5);
  kernels.addBias(shape, pooledGradient.data(), codes.data(), bias.data());
  kernels.unpool(shape, pooledGradient.data(), codes.data(), gradient.data());
  print(what, bias);
  print(what, gradient);
  if (shape.in == 1) {
    std::vector<float> byImage(shape.pixels()), byWeight = weights;
    kernels.inputGradientOfOne(shape, gradient.data(), weights.data(), byImage.data());
    kernels.weightGradientOfOne(shape, padded.data(), gradient.data(), byWeight.data());
    print(what, byImage);
    print(what, byWeight);
    return;
  }
  std::vector<ScaledRun> runs;
  for (int64_t c = 0; c < shape.out; c++) runs.push_back({static_cast<int32_t>(c * 3 * shape.run()), pooledGradient[c]});
  std::vector<float> target = madeUp(shape.run(), 6);
  kernels.addRuns(runs.data(), shape.out, weights.data(), target.data(), shape.run());
  print(what, target);
}

}  // namespace

int main() {
  std::printf("%s\n", nameOf(instructionSet()));
  for (int64_t elements : {1, 30, 64, 130, 515, 3136}) noise(elements);
  for (float lambda : {1.0f, 3.0f, 12.0f}) {
    for (bool nearest : {false, true}) {
      quantizer(28 * 28, 16, 56, lambda, nearest);  // SMALL's three layers
      quantizer(14 * 14, 32, 28, lambda, nearest);
      quantizer(7 * 7, 64, 14, lambda, nearest);
      quantizer(12, 48, 4, lambda, nearest);
      quantizer(5, 16, 2, lambda, nearest);
      quantizer(9, 24, 3, lambda, nearest);
    }
  }
  for (const BlockShape& shape : std::vector<BlockShape>{{1, 16, 28, 28}, {16, 32, 14, 14}, {32, 64, 7, 7}, {64, 40, 6, 7},
                                                         {1, 8, 4, 9}, {1, 56, 9, 13}, {8, 8, 2, 2}, {8, 24, 3, 5},
                                                         {24, 48, 8, 3}, {40, 16, 5, 4}}) {
    convolution(shape);
  }
}
