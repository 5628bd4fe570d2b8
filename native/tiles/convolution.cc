#include "tiles/convolution.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <tuple>

#include "memory/checks.h"
#include "products/product.h"
#include "tiles/kernel_gradient.h"

namespace sqa {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr Geometry kKernel{3, 3, 1, 1, 1, 1};

LayerShape shapeOf(const at::Tensor& input, const at::Tensor& weight) {
  const int64_t out = weight.size(0), in = weight.size(1);
  return {in, out, kKernel, formFor(in, out, kKernel, {input.size(2), input.size(3)})};
}

at::Tensor laid(const at::Tensor& tensor) { return tensor.contiguous(at::MemoryFormat::ChannelsLast); }

// The output, or back from its gradient the gradient of the input.
at::Tensor run(const at::Tensor& given, const at::Tensor& weight, const LayerShape& shape, bool isBackward) {
  const at::Tensor from = laid(given), packed = packTiles(weight, shape.form, isBackward);
  const Sides sides{from.size(2), from.size(3)};
  const int64_t channels = isBackward ? shape.in : shape.out;
  const at::Tensor to = at::empty({from.size(0), channels, sides.height, sides.width}, from.options(),
                                  at::MemoryFormat::ChannelsLast);
  if (to.numel() == 0) return to;
  runProduct({shape, isBackward, from.size(0), sides, sides, from.data_ptr<float>(), nullptr, nullptr,
              packed.data_ptr<float>(), {nullptr, false}, to.data_ptr<float>()});
  return to;
}

at::Tensor gradientOfKernels(const at::Tensor& given, const at::Tensor& slopes, const at::Tensor& weight,
                             const LayerShape& shape) {
  const at::Tensor input = laid(given), gradient = laid(slopes);
  const at::Tensor kernels = at::zeros(weight.sizes(), weight.options());
  if (input.numel() == 0) return kernels;
  runKernelGradient({shape, input.size(0), {input.size(2), input.size(3)}, input.data_ptr<float>(),
                     gradient.data_ptr<float>(), kernels.data_ptr<float>()});
  return kernels;
}

struct Convolution : torch::autograd::Function<Convolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight) {
    context->save_for_backward({input, weight});
    return run(input, weight, shapeOf(input, weight), false);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1], &gradient = gradients[0];
    const bool ofInput = context->needs_input_grad(0), ofWeight = context->needs_input_grad(1);
    if (at::GradMode::is_enabled()) {
      // libtorch's own operators have gradients of their gradients.
      const at::OptionalIntArrayRef noBias;
      const auto [byInput, byWeight, byBias] =
          at::convolution_backward(gradient, input, weight, noBias, {1, 1}, {1, 1}, {1, 1}, false, {0, 0}, 1,
                                   {ofInput, ofWeight, false});
      return {byInput, byWeight};
    }
    const LayerShape shape = shapeOf(input, weight);
    return {ofInput ? run(gradient, weight, shape, true) : at::Tensor(),
            ofWeight ? gradientOfKernels(input, gradient, weight, shape) : at::Tensor()};
  }
};

}  // namespace

int64_t tiledChannels() { return productKernels(instructionSet()).channelStep; }

at::Tensor tiledConvolution(const at::Tensor& input, const at::Tensor& weight) {
  checkFloat(input, "input");
  checkFloat(weight, "weight");
  TORCH_CHECK(input.dim() == 4, "input must have shape (N, in, H, W), not ", input.sizes());
  const int64_t step = tiledChannels();
  TORCH_CHECK(weight.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3 && weight.size(0) > 0 &&
                  weight.size(1) > 0,
              "weight must have shape (out, in, 3, 3), not ", weight.sizes());
  TORCH_CHECK(weight.size(0) % step == 0 && weight.size(1) % step == 0, "channels must be multiples of ",
              step, ", not those of weight ", weight.sizes());
  TORCH_CHECK(input.size(1) == weight.size(1), "input must have ", weight.size(1), " channels, not shape ",
              input.sizes());
  if (at::GradMode::is_enabled() && (input.requires_grad() || weight.requires_grad()))
    return Convolution::apply(input, weight);
  const at::NoGradGuard guard;
  return run(input, weight, shapeOf(input, weight), false);
}

}  // namespace sqa
