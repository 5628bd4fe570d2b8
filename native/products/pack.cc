#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "products/layer.h"

namespace sqa {
namespace {

int64_t panelsOf(int64_t columns) {
  const int64_t panel = productKernels(instructionSet()).panel;
  return (columns + panel - 1) / panel;
}

// Matrices (matrices, inner, columns) to panels, the last of them filled up with zeros.
at::Tensor inPanels(const at::Tensor& matrices) {
  const int64_t panel = productKernels(instructionSet()).panel, panels = panelsOf(matrices.size(2));
  const at::Tensor filled = at::constant_pad_nd(matrices, {0, panels * panel - matrices.size(2)});
  return filled.reshape({matrices.size(0), matrices.size(1), panels, panel}).permute({0, 2, 1, 3}).to(at::kFloat).contiguous();
}

// Kernels (out, in, 3, 3) at the 16 points of a tile, (16, in, out), in double precision.
at::Tensor atPoints(const at::Tensor& weight) {
  const at::Tensor g =
      at::tensor({1.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0.0, 0.0, 1.0}, at::kDouble).reshape({4, 3});
  return at::einsum("ay,oiyx,bx->abio", {g, weight.to(at::kDouble), g}).reshape({kTilePoints, weight.size(1), weight.size(0)});
}

}  // namespace

Form LayerShape::form() const {
  const auto& [height, width, strideY, strideX, paddingY, paddingX] = geometry;
  const bool isUnit = strideY == 1 && strideX == 1;
  if (height == 1 && width == 1 && isUnit && paddingY == 0 && paddingX == 0) return Form::pixels;
  const int64_t step = productKernels(instructionSet()).channelStep;
  const bool isTiled = height == 3 && width == 3 && isUnit && paddingY == 1 && paddingX == 1;
  return isTiled && in % step == 0 && out % step == 0 ? Form::tiles : Form::windows;
}

std::array<int64_t, 4> packedSizes(const LayerShape& shape, bool isBackward) {
  const bool isTiled = shape.form() == Form::tiles;
  const int64_t seen = isTiled ? shape.in : shape.window();
  const int64_t inner = isBackward ? shape.out : seen, columns = isBackward ? seen : shape.out;
  return {isTiled ? kTilePoints : 1, panelsOf(columns), inner, productKernels(instructionSet()).panel};
}

PackedWeights packWeights(const at::Tensor& weight, const Geometry& geometry) {
  const at::NoGradGuard guard;
  const bool isLinear = weight.dim() == 2;
  TORCH_CHECK(isLinear || weight.dim() == 4, "weights must have shape (out, in) or (out, in, H, W), not ", weight.sizes());
  TORCH_CHECK(weight.scalar_type() == at::kFloat && weight.device().is_cpu(), "weights must be float32 on the CPU");
  TORCH_CHECK(weight.numel() > 0, "weights must not be empty");
  const at::Tensor kernel = isLinear ? weight.reshape({weight.size(0), weight.size(1), 1, 1}) : weight;
  TORCH_CHECK(kernel.size(2) == geometry.kernelHeight && kernel.size(3) == geometry.kernelWidth, "weights of shape ", weight.sizes(),
              " do not fit the kernel's sides");
  const LayerShape shape{kernel.size(1), kernel.size(0), geometry};
  if (shape.form() == Form::tiles) {
    const at::Tensor turned = kernel.flip({2, 3}).transpose(0, 1);
    return {inPanels(atPoints(kernel)), inPanels(atPoints(turned))};
  }
  const at::Tensor matrix = kernel.permute({0, 2, 3, 1}).reshape({1, shape.out, shape.window()});
  return {inPanels(matrix.transpose(1, 2)), inPanels(matrix)};
}

}  // namespace sqa
