#include "products/layer.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <vector>

#include "memory/checks.h"
#include "products/product.h"

namespace sqa {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A layer at work on inputs of one shape.
struct Call {
  LayerShape shape;
  bool isLinear;
  bool relu;
  std::vector<int64_t> inputSizes, outputSizes;
  Sides input{1, 1}, output{1, 1};
  int64_t images;

  Call(const LayerShape& of, bool linear, bool withRelu, at::IntArrayRef sizes)
      : shape(of), isLinear(linear), relu(withRelu), inputSizes(sizes.vec()), outputSizes(sizes.vec()) {
    TORCH_CHECK(isLinear ? !sizes.empty() : sizes.size() == 4, "input must have shape ",
                isLinear ? "(..., in)" : "(N, in, H, W)", ", not ", sizes);
    const size_t channels = isLinear ? sizes.size() - 1 : 1;
    TORCH_CHECK(sizes[channels] == shape.in, "input must have ", shape.in, " channels, not shape ", sizes);
    outputSizes[channels] = shape.out;
    images = isLinear ? c10::multiply_integers(sizes) / shape.in : sizes[0];
    if (isLinear) return;
    const Geometry& g = shape.geometry;
    input = {sizes[2], sizes[3]};
    const int64_t spareY = input.height + 2 * g.paddingY - g.kernelHeight,
                  spareX = input.width + 2 * g.paddingX - g.kernelWidth;
    TORCH_CHECK(spareY >= 0 && spareX >= 0, "a kernel of ", g.kernelHeight, " x ", g.kernelWidth,
                " does not fit images of shape ", sizes);
    output = {spareY / g.strideY + 1, spareX / g.strideX + 1};
    outputSizes[2] = output.height;
    outputSizes[3] = output.width;
  }

  at::Tensor laid(const at::Tensor& tensor) const {
    if (!tensor.defined()) return tensor;
    return isLinear ? tensor.contiguous() : tensor.contiguous(at::MemoryFormat::ChannelsLast);
  }

  // The layer's output, or back its input's gradient.
  at::Tensor run(bool isBackward, const at::Tensor& from, const at::Tensor& passed,
                 const at::Tensor& residual, const at::Tensor& packed, const at::Tensor& bias) const {
    const at::Tensor x = laid(from), mask = laid(passed), added = laid(residual);
    const auto format = isLinear ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast;
    const at::Tensor y = at::empty(isBackward ? inputSizes : outputSizes, x.options(), format);
    if (y.numel() == 0) return y;
    const auto floats = [](const at::Tensor& tensor) {
      return tensor.defined() ? tensor.data_ptr<float>() : nullptr;
    };
    runProduct({shape, isBackward, images, input, output, floats(x), floats(mask), floats(added),
                floats(packed), {floats(bias), !isBackward && relu}, floats(y)});
    return y;
  }
};

// Automatic differentiation takes no undefined tensors: an empty one stands for none.
at::Tensor orEmpty(const at::Tensor& tensor, const at::Tensor& like) {
  return tensor.defined() ? tensor : at::empty({0}, like.options());
}
at::Tensor unlessEmpty(const at::Tensor& tensor) { return tensor.numel() == 0 ? at::Tensor() : tensor; }

// The input's gradient by libtorch's operators, which have gradients of their own.
at::Tensor gradientByOperators(const Call& call, const at::Tensor& gradient, const at::Tensor& weight) {
  if (call.isLinear) return gradient.matmul(weight);
  const Geometry& g = call.shape.geometry;
  const auto left = [](int64_t in, int64_t out, int64_t stride, int64_t padding, int64_t kernel) {
    return in - ((out - 1) * stride - 2 * padding + kernel);
  };
  return at::conv_transpose2d(
      gradient, weight, {}, {g.strideY, g.strideX}, {g.paddingY, g.paddingX},
      {left(call.input.height, call.output.height, g.strideY, g.paddingY, g.kernelHeight),
       left(call.input.width, call.output.width, g.strideX, g.paddingX, g.kernelWidth)});
}

struct Layer : torch::autograd::Function<Layer> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& residual,
                            const at::Tensor& forwards, const at::Tensor& backwards, const at::Tensor& weight,
                            const at::Tensor& bias, const LayerShape& shape, bool isLinear, bool relu) {
    const Call call(shape, isLinear, relu, input.sizes());
    at::Tensor output = call.run(false, input, {}, unlessEmpty(residual), forwards, unlessEmpty(bias));
    context->save_for_backward({backwards, relu ? output : orEmpty({}, input), weight});
    const auto& [height, width, strideY, strideX, paddingY, paddingX] = shape.geometry;
    context->saved_data["shape"] =
        std::vector<int64_t>{shape.in, shape.out, height, width, strideY, strideX, paddingY, paddingX,
                             static_cast<int64_t>(shape.form), isLinear, relu};
    context->saved_data["input"] = input.sizes().vec();
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const std::vector<int64_t> s = context->saved_data["shape"].toIntVector();
    const std::vector<int64_t> sizes = context->saved_data["input"].toIntVector();
    at::Tensor gradient = gradients[0], passed = unlessEmpty(saved[1]);
    const LayerShape shape{s[0], s[1], {s[2], s[3], s[4], s[5], s[6], s[7]}, static_cast<Form>(s[8])};
    const bool isResidual = context->needs_input_grad(1);
    const Call call(shape, s[9] != 0, s[10] != 0, sizes);
    if (at::GradMode::is_enabled()) {
      if (passed.defined()) gradient = at::where(passed <= 0, at::zeros({}, gradient.options()), gradient);
      return {gradientByOperators(call, gradient, saved[2]), isResidual ? gradient : at::Tensor(),
              {}, {}, {}, {}, {}, {}, {}};
    }
    if (isResidual && passed.defined()) {
      gradient = at::threshold_backward(call.laid(gradient), passed, 0);
      passed = at::Tensor();
    }
    at::Tensor back;
    if (context->needs_input_grad(0)) back = call.run(true, gradient, passed, {}, saved[0], {});
    return {back, isResidual ? gradient : at::Tensor(), {}, {}, {}, {}, {}, {}, {}};
  }
};

// The form that weights were packed for, by the number of their matrices.
Form packedForm(const at::Tensor& packed, int64_t in, int64_t out, const Geometry& geometry) {
  const int64_t side = packed.dim() > 0 && packed.size(0) == Tile<4>::kPoints ? 4 : 2;
  return formFor(in, out, geometry, {side, side});
}

void checkPacked(const at::Tensor& packed, const LayerShape& shape, bool isBackward) {
  checkFloat(packed, "packed weights");
  const auto sizes = packedSizes(shape, isBackward);
  TORCH_CHECK(packed.sizes() == at::IntArrayRef(sizes) && packed.is_contiguous(),
              "packed weights must have shape ", at::IntArrayRef(sizes), ", not ", packed.sizes());
}

}  // namespace

at::Tensor packedLayer(const at::Tensor& input, const at::Tensor& residual, const PackedWeights& weights,
                       const at::Tensor& weight, const at::Tensor& bias, int64_t in, int64_t out,
                       const Geometry& geometry, bool isLinear, bool relu) {
  checkFloat(input, "input");
  checkFloat(weights.forward, "packed weights");
  constexpr int64_t kMost = int64_t{1} << 40;
  TORCH_CHECK(geometry.kernelHeight * geometry.kernelWidth <= kMost / in, "a kernel of ",
              geometry.kernelHeight, " x ", geometry.kernelWidth, " over ", in, " channels is too large");
  const LayerShape shape{in, out, geometry, packedForm(weights.forward, in, out, geometry)};
  checkPacked(weights.forward, shape, false);
  checkPacked(weights.backward, shape, true);
  const Call call(shape, isLinear, relu, input.sizes());
  TORCH_CHECK(!isLinear || shape.form == Form::pixels, "a linear layer has a kernel of one pixel");
  if (bias.defined()) {
    checkFloat(bias, "bias");
    TORCH_CHECK(bias.sizes() == at::IntArrayRef({shape.out}), "bias must have shape [", shape.out, "], not ",
                bias.sizes());
  }
  const at::Tensor shift = bias.defined() ? bias.contiguous() : bias;
  if (residual.defined()) {
    checkFloat(residual, "residual");
    TORCH_CHECK(residual.sizes() == at::IntArrayRef(call.outputSizes),
                "a residual must have the output's shape ", at::IntArrayRef(call.outputSizes), ", not ",
                residual.sizes());
  }
  const bool isDifferentiable = input.requires_grad() || (residual.defined() && residual.requires_grad());
  if (isDifferentiable && at::GradMode::is_enabled())
    return Layer::apply(input, orEmpty(residual, input), weights.forward, weights.backward, weight.detach(),
                        orEmpty(shift, input), shape, isLinear, relu);
  const at::NoGradGuard guard;
  return call.run(false, input, {}, residual, weights.forward, shift);
}

}  // namespace sqa
