#include "conv/block_backward.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "conv/kernels.h"
#include "conv/operands.h"
#include "conv/scratch.h"
#include "memory/parallel.h"

namespace sqa {
namespace {

// Sums over images are made within each of this many parts of a batch, and then over the parts in order, so
// that they do not depend on the number of threads.
constexpr int64_t kParts = 8;

// Floats of runs that are added at a time: what twelve registers of AVX2 hold. It decides the order of sums,
// so it is the same for each instruction set.
constexpr int64_t kTile = 96;

// The same in bfloat16: what twelve of AVX-512 hold.
constexpr int64_t kTileBfloat16 = 192;

// The memory that the backward pass of one image reads and writes.
struct ImageGradients {
  const float* image;
  const float* pooledGradient;
  const uint8_t* codes;
  float* input;   // null where not wanted
  float* weight;  // added to; null where not wanted. In bfloat16 each run lies in groups
};

// Pooling lets a quarter of the convolution's outputs through, and ReLU less. So for several input channels
// the gradient is never spread out: each pooled gradient adds its window of the input to the weights'
// gradient, and its kernel to the input's, three runs each.
class Backward {
 public:
  // `weights` are the operands', (out, 3, 3, in).
  Backward(const BlockShape& shape, const Operands& operands, const float* weights)
      : shape_(shape), rounded_(operands.rounded), bfloat16_(operands.kernels), weights_{weights, nullptr} {
    const std::vector<int32_t> offsets = windowOffsets(shape);
    for (int64_t y = 0; y < shape.pooledHeight(); y++) {
      for (int64_t x = 0; x < shape.pooledWidth(); x++) {
        const int32_t* first = offsets.data() + 2 * y * shape.width + 2 * x;
        for (int64_t corner : {int64_t{0}, int64_t{1}, shape.width, shape.width + 1})
          corners_.push_back(first[corner]);
      }
    }
    if (bfloat16_ != nullptr) {
      roundedWeights_.resize(9 * shape.in * shape.out);
      for (int64_t at = 0; at < 9 * shape.in * shape.out; at += shape.run()) {
        bfloat16_->roundInGroups(weights + at, shape.run(), roundedWeights_.data() + at);
      }
      weights_.bfloat16 = roundedWeights_.data();
      tile_ = kTileBfloat16;
    }
    if (shape.in > 1) return;
    rotated_.resize(9 * shape.out);
    for (int64_t c = 0; c < shape.out; c++) {
      for (int64_t tap = 0; tap < 9; tap++) rotated_[(8 - tap) * shape.out + c] = weights[c * 9 + tap];
    }
  }

  // Prepares a thread's buffers for any number of images.
  void begin(Scratch& scratch, bool weightWanted) const {
    if (shape_.in == 1) scratch.gradient.zeroed(shape_.paddedGradient());
    if (weightWanted) beginPadded(shape_, bfloat16_, scratch);
    if (rounded_) scratch.pooledGradient.of(shape_.windows() * shape_.out);
    if (shape_.in > 1) {
      scratch.runs.resize(4 * shape_.windows() * shape_.out);
      scratch.counts.resize(std::max(4 * shape_.windows(), shape_.out));
    }
  }

  void run(Scratch& scratch, ImageGradients image) const {
    if (rounded_) {
      float* gradient = scratch.pooledGradient.of(0);
      for (int64_t i = 0; i < shape_.windows() * shape_.out; i++)
        gradient[i] = roundedToBfloat16(image.pooledGradient[i]);
      image.pooledGradient = gradient;
    }
    if (shape_.in == 1) {
      float* gradient = scratch.gradient.of(0);
      kernels_.unpool(shape_, image.pooledGradient, image.codes, gradient);
      if (image.input != nullptr) kernels_.inputGradientOfOne(shape_, gradient, rotated_.data(), image.input);
      if (image.weight == nullptr) return;
      const Numbers pixels = padded(shape_, bfloat16_, image.image, scratch);
      kernels_.weightGradientOfOne(shape_, pixels.floats, gradient, image.weight);
    } else {
      if (image.input != nullptr) inputGradient(scratch, image);
      if (image.weight != nullptr) weightGradient(scratch, image);
    }
  }

 private:
  void addRuns(const ScaledRun* runs, int64_t runCount, const Numbers& base, int64_t first, float* target,
               int64_t count) const {
    if (bfloat16_ == nullptr) {
      kernels_.addRuns(runs, runCount, base.floats + first, target, count);
    } else {
      bfloat16_->addRuns(runs, runCount, base.bfloat16 + first, target, count);
    }
  }

  void inputGradient(Scratch& scratch, const ImageGradients& image) const {
    const int64_t windows = shape_.windows(), out = shape_.out;
    // For each corner of each window the kernels that go there: output channels whose largest pixel it is.
    ScaledRun* runs = scratch.runs.data();
    int32_t* counts = scratch.counts.data();
    const int32_t kernelSize = static_cast<int32_t>(3 * shape_.run());
    for (int64_t window = 0; window < windows; window++) {
      kernels_.runsOfWindow(image.codes + window * out, image.pooledGradient + window * out, out, kernelSize,
                            runs + 4 * window * out, counts + 4 * window);
    }
    float* gradient = scratch.gradient.zeroed(shape_.paddedInput());
    for (int64_t ky = 0; ky < 3; ky++) {
      for (int64_t j = 0; j < shape_.run(); j += tile_) {
        const int64_t length = std::min(tile_, shape_.run() - j);
        for (int64_t corner = 0; corner < 4 * windows; corner++) {
          if (counts[corner] == 0) continue;
          addRuns(runs + corner * out, counts[corner], weights_, ky * shape_.run() + j,
                  gradient + corners_[corner] + ky * shape_.paddedRow() + j, length);
        }
      }
    }
    const int64_t row = shape_.width * shape_.in;
    for (int64_t y = 0; y < shape_.height; y++) {
      std::memcpy(image.input + y * row, gradient + (y + 1) * shape_.paddedRow() + shape_.in,
                  row * sizeof(float));
    }
  }

  void weightGradient(Scratch& scratch, const ImageGradients& image) const {
    const Numbers pixels = padded(shape_, bfloat16_, image.image, scratch);
    const int64_t windows = shape_.windows(), out = shape_.out;
    // For each output channel the windows of the input that it saw.
    ScaledRun* runs = scratch.runs.data();
    int32_t* counts = scratch.counts.data();
    for (int64_t c = 0; c < out; c++) {
      ScaledRun* channelRuns = runs + c * windows;
      int32_t count = 0;
      for (int64_t window = 0; window < windows; window++) {
        // Written in any case and counted where active: no branch to mispredict.
        const uint8_t code = image.codes[window * out + c];
        channelRuns[count] = {corners_[4 * window + (code & 3)], image.pooledGradient[window * out + c]};
        count += code / kActive;
      }
      counts[c] = count;
    }
    for (int64_t ky = 0; ky < 3; ky++) {
      for (int64_t j = 0; j < shape_.run(); j += tile_) {
        const int64_t length = std::min(tile_, shape_.run() - j);
        for (int64_t c = 0; c < out; c++) {
          addRuns(runs + c * windows, counts[c], pixels, ky * shape_.paddedRow() + j,
                  image.weight + (c * 3 + ky) * shape_.run() + j, length);
        }
      }
    }
  }

  const BlockShape& shape_;
  const ConvKernels& kernels_ = convKernels(instructionSet());
  const bool rounded_;
  const Bfloat16Kernels* bfloat16_;
  Numbers weights_;
  int64_t tile_ = kTile;
  std::vector<uint16_t> roundedWeights_;
  std::vector<float> rotated_;    // (9, out), for one input channel
  // Of each window its four pixels: the first float of their windows of the padded input.
  std::vector<int32_t> corners_;
};

// parts (parts, count) to their sums, part after part.
void sumParts(const at::Tensor& parts, float* sums, int64_t count) {
  const float* from = parts.data_ptr<float>();
  parallelFor(count, 1 << 14, [&](int64_t begin, int64_t end) {
    std::fill(sums + begin, sums + end, 0.0f);
    for (int64_t part = 0; part < parts.size(0); part++) {
      for (int64_t i = begin; i < end; i++) sums[i] += from[part * count + i];
    }
  });
}

}  // namespace

BlockGradients backwardBlock(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& codes,
                             const at::Tensor& outputGradient, const std::array<bool, 3>& wanted,
                             bool bfloat16) {
  const BlockShape shape{input.size(1), weight.size(0), input.size(2), input.size(3)};
  const Operands operands(shape, input, weight, bfloat16);
  const auto [inputWanted, weightWanted, biasWanted] = wanted;
  const int64_t images = input.size(0), weights = weight.numel(), pooled = shape.windows() * shape.out;
  const at::Tensor x = channelsLast(operands.input), w = channelsLast(operands.weight),
                   g = channelsLast(outputGradient);
  at::Tensor inputGradient, weightGradient, biasGradient;
  if (inputWanted) inputGradient = at::empty_like(x);
  // Without a sum over images every image is a part of its own.
  const bool summed = weightWanted || biasWanted;
  const int64_t partSize = summed ? (images + kParts - 1) / kParts : 1;
  const int64_t parts = images == 0 ? 0 : (images + partSize - 1) / partSize;
  const at::Tensor weightParts = at::zeros({weightWanted ? parts : 0, weights}, w.options());
  const at::Tensor biasParts = at::zeros({biasWanted ? parts : 0, shape.out}, w.options());

  const ConvKernels& kernels = convKernels(instructionSet());
  const Backward backward(shape, operands, w.data_ptr<float>());
  const float *imagesFrom = x.data_ptr<float>(), *gradients = g.data_ptr<float>();
  const uint8_t* codesFrom = codes.data_ptr<uint8_t>();
  float* inputTo = inputWanted ? inputGradient.data_ptr<float>() : nullptr;
  float *weightTo = weightParts.data_ptr<float>(), *biasTo = biasParts.data_ptr<float>();
  parallelFor(parts, summed ? 1 : kImagesTaken, [&](int64_t begin, int64_t end) {
    Scratch& scratch = Scratch::ofThread();
    backward.begin(scratch, weightWanted);
    for (int64_t part = begin; part < end; part++) {
      for (int64_t n = part * partSize; n < std::min(images, (part + 1) * partSize); n++) {
        const int64_t at = n * shape.pixels() * shape.in;
        backward.run(scratch, {imagesFrom + at, gradients + n * pooled, codesFrom + n * pooled,
                               inputWanted ? inputTo + at : nullptr,
                               weightWanted ? weightTo + part * weights : nullptr});
        if (biasWanted) {
          kernels.addBias(shape, gradients + n * pooled, codesFrom + n * pooled, biasTo + part * shape.out);
        }
      }
    }
  });
  if (weightWanted && shape.in > 1) {
    weightGradient = at::empty_like(w);
    float* sums = weightGradient.data_ptr<float>();
    sumParts(weightParts, sums, weights);
    if (operands.kernels != nullptr) {
      for (int64_t at = 0; at < weights; at += shape.run())
        operands.kernels->orderGroups(sums + at, shape.run());
    }
  } else if (weightWanted) {
    const at::Tensor byTap = at::empty({9, shape.out}, w.options());
    sumParts(weightParts, byTap.data_ptr<float>(), weights);
    weightGradient = byTap.t().reshape({shape.out, 1, 3, 3});
  }
  if (biasWanted) {
    biasGradient = at::empty({shape.out}, w.options());
    sumParts(biasParts, biasGradient.data_ptr<float>(), shape.out);
  }
  return {inputGradient, weightGradient, biasGradient};
}

BlockGradients differentiableBackward(const at::Tensor& input, const at::Tensor& weight,
                                      const at::Tensor& codes, const at::Tensor& outputGradient,
                                      const std::array<bool, 3>& wanted, bool bfloat16) {
  const BlockShape shape{input.size(1), weight.size(0), input.size(2), input.size(3)};
  const bool rounded = bfloat16 && takesBfloat16(shape.in);
  const at::Tensor pooledCodes =
      codes.view({input.size(0), shape.pooledHeight(), shape.pooledWidth(), shape.out})
          .permute({0, 3, 1, 2})
          .to(at::kLong);
  const at::Tensor corner = pooledCodes.bitwise_and(3);
  const auto longs = corner.options();
  const at::Tensor y = at::arange(shape.pooledHeight(), longs).mul(2).view({-1, 1}) + corner.floor_divide(2);
  const at::Tensor x = at::arange(shape.pooledWidth(), longs).mul(2) + corner.remainder(2);
  const at::Tensor active = pooledCodes.ge(kActive).to(at::kFloat);
  const at::Tensor gradient =
      at::max_unpool2d((outputGradient * active).contiguous(), (y * shape.width + x).contiguous(),
                       {shape.height, shape.width});
  const auto operand = [rounded](const at::Tensor& tensor) {
    return rounded ? roundedToBfloat16(tensor) : tensor;
  };
  auto [byInput, byWeight, byBias] = at::convolution_backward(
      operand(gradient), operand(input), operand(weight), at::IntArrayRef({shape.out}), {1, 1}, {1, 1},
      {1, 1}, false, {0, 0}, 1, wanted);
  return {byInput, byWeight, byBias};
}

}  // namespace sqa
