#include "conv/block.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "conv/block_backward.h"
#include "conv/kernels.h"
#include "conv/operands.h"
#include "conv/scratch.h"
#include "memory/checks.h"
#include "memory/parallel.h"
#include "quantize/kernels.h"

namespace sqa {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

BlockShape checkedShape(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
  checkFloat(input, "input");
  checkFloat(weight, "weight");
  checkFloat(bias, "bias");
  TORCH_CHECK(input.dim() == 4, "input must have shape (N, C, H, W), not ", input.sizes());
  const BlockShape shape{input.size(1), weight.dim() > 0 ? weight.size(0) : 0, input.size(2), input.size(3)};
  TORCH_CHECK(shape.in == 1 || (shape.in > 0 && shape.in % kChannelStep == 0),
              "input channels must be 1 or a multiple of 8, not ", shape.in);
  TORCH_CHECK(shape.out > 0 && shape.out % kChannelStep == 0 && shape.out < (1 << 16),
              "output channels must be a multiple of 8 below 2^16, not ", shape.out);
  TORCH_CHECK(shape.height >= 2 && shape.width >= 2, "sides must be 2 or more, not ", shape.height, " and ",
              shape.width);
  TORCH_CHECK(weight.sizes() == at::IntArrayRef({shape.out, shape.in, 3, 3}), "weight must have shape [",
              shape.out, ", ", shape.in, ", 3, 3], not ", weight.sizes());
  TORCH_CHECK(bias.sizes() == at::IntArrayRef({shape.out}), "bias must have shape [", shape.out, "], not ",
              bias.sizes());
  constexpr int64_t kLargest = 1 << 30;  // offsets in an image and in the weights are 32-bit
  TORCH_CHECK(shape.height < kLargest / shape.in / (shape.width + 2) && 9 * shape.in < kLargest / shape.out,
              "an image of shape ", input.sizes(), " is too large");
  return shape;
}

// A block's convolution of one image, and of bias and ReLU after it.
class Convolution {
 public:
  Convolution(const BlockShape& shape, const float* weights, const float* bias,
              const Bfloat16Kernels* bfloat16)
      : shape_(shape), bfloat16_(bfloat16), bias_(bias), packed_(9 * shape.in * shape.out) {
    if (bfloat16 == nullptr) {
      offsets_ = windowOffsets(shape);
      packWeights(shape, kernels_.packedTile, weights, packed_.data());
      return;
    }
    const BlockShape pairs = shape.pairs();
    offsets_ = windowOffsets(pairs);
    std::vector<uint16_t> rounded(packed_.size());
    bfloat16->round(weights, rounded.size(), rounded.data());
    packWeights(pairs, bfloat16->packedTile, reinterpret_cast<const float*>(rounded.data()), packed_.data());
  }

  // Prepares a thread's buffers for any number of images.
  void begin(Scratch& scratch) const { beginPadded(shape_, bfloat16_, scratch); }

  // h (pixels, out) of an image (pixels, in).
  void run(Scratch& scratch, const float* image, float* h) const {
    const Numbers numbers = padded(shape_, bfloat16_, image, scratch);
    if (bfloat16_ == nullptr) {
      kernels_.convolve(shape_, numbers.floats, offsets_.data(), packed_.data(), bias_, h);
    } else {
      const auto* pairs = reinterpret_cast<const float*>(numbers.bfloat16);
      bfloat16_->convolve(shape_.pairs(), pairs, offsets_.data(), packed_.data(), bias_, h);
    }
  }

 private:
  const BlockShape& shape_;
  const ConvKernels& kernels_ = convKernels(instructionSet());
  const Bfloat16Kernels* bfloat16_;
  const float* bias_;
  std::vector<float> packed_;
  std::vector<int32_t> offsets_;
};

struct Pooled {
  at::Tensor output;
  // (N, windows, out), one byte a pooled output; undefined where no gradient will be asked for.
  at::Tensor codes;
};

Pooled forwardBlock(const BlockShape& shape, const at::Tensor& input, const at::Tensor& weight,
                    const at::Tensor& bias, const std::optional<ImageQuantization>& quantization,
                    const Bfloat16Kernels* bfloat16, bool keepCodes) {
  const int64_t images = input.size(0);
  const at::Tensor x = channelsLast(input), w = channelsLast(weight), b = bias.contiguous();
  at::Tensor output = at::empty({images, shape.out, shape.pooledHeight(), shape.pooledWidth()}, x.options(),
                                at::MemoryFormat::ChannelsLast);
  const int64_t pooled = shape.windows() * shape.out;
  at::Tensor codes;
  if (keepCodes) codes = at::empty({images, shape.windows(), shape.out}, at::kByte);

  const ConvKernels& kernels = convKernels(instructionSet());
  const Convolution convolution(shape, w.data_ptr<float>(), b.data_ptr<float>(), bfloat16);
  const float* from = x.data_ptr<float>();
  float* to = output.data_ptr<float>();
  uint8_t* codesTo = keepCodes ? codes.data_ptr<uint8_t>() : nullptr;
  // Two rows of pixels make a row of windows: with SQA they are quantized and pooled while they lie in the
  // nearest cache.
  const BlockShape rows{shape.in, shape.out, 2, shape.width};
  const NoiseKey* key = quantization && !quantization->nearest ? &quantization->key : nullptr;
  const int64_t* ids = key != nullptr ? quantization->imageIds.data_ptr<int64_t>() : nullptr;
  parallelFor(images, kImagesTaken, [&](int64_t begin, int64_t end) {
    Scratch& scratch = Scratch::ofThread();
    convolution.begin(scratch);
    float* h = scratch.hidden.of(shape.pixels() * shape.out);
    float* y = scratch.quantized.of(rows.pixels() * shape.out);
    uint8_t* spare = scratch.codes(pooled);
    ChannelsLastQuantizer quantizer(shape.pixels(), shape.out, rows.pixels(),
                                    quantization ? static_cast<float>(quantization->lambda) : 1.0f, key);
    for (int64_t n = begin; n < end; n++) {
      convolution.run(scratch, from + n * shape.pixels() * shape.in, h);
      float* imageTo = to + n * pooled;
      uint8_t* imageCodes = keepCodes ? codesTo + n * pooled : spare;
      if (!quantization) {
        kernels.pool(shape, h, h, imageTo, imageCodes);
        continue;
      }
      quantizer.begin(h, extentOf(h, shape.pixels() * shape.out),
                      ids == nullptr ? 0 : static_cast<uint32_t>(ids[n]));
      for (int64_t row = 0; row < shape.pooledHeight(); row++) {
        const int64_t first = row * rows.pixels(), window = row * rows.windows() * shape.out;
        quantizer.quantize(first, rows.pixels(), y);
        kernels.pool(rows, h + first * shape.out, y, imageTo + window, imageCodes + window);
      }
    }
  });
  return {output, codes};
}

struct Block : torch::autograd::Function<Block> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias, const BlockShape& shape,
                            const std::optional<ImageQuantization>& quantization, bool bfloat16) {
    const Operands operands(shape, input, weight, bfloat16);
    Pooled pooled =
        forwardBlock(shape, operands.input, operands.weight, bias, quantization, operands.kernels, true);
    context->save_for_backward({input, weight, pooled.codes});
    context->saved_data["bfloat16"] = bfloat16;
    return pooled.output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const std::array<bool, 3> wanted{context->needs_input_grad(0), context->needs_input_grad(1),
                                     context->needs_input_grad(2)};
    const bool bfloat16 = context->saved_data["bfloat16"].toBool();
    // Gradients of gradients are rare: they go through libtorch's operators.
    const auto backward = at::GradMode::is_enabled() ? differentiableBackward : backwardBlock;
    auto [input, weight, bias] = backward(saved[0], saved[1], saved[2], gradients[0], wanted, bfloat16);
    return {input, weight, bias, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor convBlock(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                     const std::optional<ImageQuantization>& quantization, bool bfloat16) {
  const BlockShape shape = checkedShape(input, weight, bias);
  if (quantization && !quantization->nearest) checkImageIds(quantization->imageIds, input.size(0));
  const bool differentiable = input.requires_grad() || weight.requires_grad() || bias.requires_grad();
  if (differentiable && at::GradMode::is_enabled())
    return Block::apply(input, weight, bias, shape, quantization, bfloat16);
  at::NoGradGuard guard;
  const Operands operands(shape, input, weight, bfloat16);
  return forwardBlock(shape, operands.input, operands.weight, bias, quantization, operands.kernels, false)
      .output;
}

}  // namespace sqa
