#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <vector>

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

// G of F(2, 3), (points, 3), or of F(4, 3): 1, x and x^2 at each point x over the product of its distances to the others.
at::Tensor pointsOfKernel(Form form) {
  if (form == Form::tiles2) return at::tensor({1.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0.0, 0.0, 1.0}, at::kDouble).reshape({4, 3});
  constexpr double near = kNear, far = kFar, n2 = near * near, f2 = far * far;
  std::vector<double> rows{1 / (n2 * f2), 0, 0};
  for (const double x : {near, -near, far, -far}) {
    const double distances = 2 * x * x * (2 * x * x - n2 - f2);
    rows.insert(rows.end(), {1 / distances, x / distances, x * x / distances});
  }
  rows.insert(rows.end(), {0, 0, 1});
  return at::tensor(rows, at::kDouble).reshape({6, 3});
}

// Kernels (out, in, 3, 3) at the points of a tile, (points, in, out), in double precision.
at::Tensor atPoints(const at::Tensor& weight, Form form) {
  const at::Tensor g = pointsOfKernel(form);
  return at::einsum("ay,oiyx,bx->abio", {g, weight.to(at::kDouble), g}).flatten(0, 1);
}

int64_t matricesOf(Form form) {
  if (form == Form::tiles2) return Tile<2>::kPoints;
  return form == Form::tiles4 ? Tile<4>::kPoints : 1;
}

template <int kSide>
int64_t multiplications(const Sides& images) {
  return (images.height + kSide - 1) / kSide * ((images.width + kSide - 1) / kSide) * Tile<kSide>::kPoints;
}

}  // namespace

Form formFor(int64_t in, int64_t out, const Geometry& geometry, const Sides& images) {
  const auto& [height, width, strideY, strideX, paddingY, paddingX] = geometry;
  const bool isUnit = strideY == 1 && strideX == 1;
  if (height == 1 && width == 1 && isUnit && paddingY == 0 && paddingX == 0) return Form::pixels;
  const int64_t step = productKernels(instructionSet()).channelStep;
  const bool isTiled = height == 3 && width == 3 && isUnit && paddingY == 1 && paddingX == 1;
  if (!isTiled || in % step != 0 || out % step != 0) return Form::windows;
  return multiplications<4>(images) < multiplications<2>(images) ? Form::tiles4 : Form::tiles2;
}

std::array<int64_t, 4> packedSizes(const LayerShape& shape, bool isBackward) {
  const int64_t matrices = matricesOf(shape.form);
  const int64_t seen = matrices > 1 ? shape.in : shape.window();
  const int64_t inner = isBackward ? shape.out : seen, columns = isBackward ? seen : shape.out;
  return {matrices, panelsOf(columns), inner, productKernels(instructionSet()).panel};
}

PackedWeights packWeights(const at::Tensor& weight, const Geometry& geometry, const Sides& images) {
  const at::NoGradGuard guard;
  const bool isLinear = weight.dim() == 2;
  TORCH_CHECK(isLinear || weight.dim() == 4, "weights must have shape (out, in) or (out, in, H, W), not ", weight.sizes());
  TORCH_CHECK(weight.scalar_type() == at::kFloat && weight.device().is_cpu(), "weights must be float32 on the CPU");
  TORCH_CHECK(weight.numel() > 0, "weights must not be empty");
  const at::Tensor kernel = isLinear ? weight.reshape({weight.size(0), weight.size(1), 1, 1}) : weight;
  TORCH_CHECK(kernel.size(2) == geometry.kernelHeight && kernel.size(3) == geometry.kernelWidth, "weights of shape ", weight.sizes(),
              " do not fit the kernel's sides");
  const int64_t in = kernel.size(1), out = kernel.size(0);
  const LayerShape shape{in, out, geometry, formFor(in, out, geometry, images)};
  if (matricesOf(shape.form) > 1) {
    const at::Tensor turned = kernel.flip({2, 3}).transpose(0, 1);
    return {inPanels(atPoints(kernel, shape.form)), inPanels(atPoints(turned, shape.form))};
  }
  const at::Tensor matrix = kernel.permute({0, 2, 3, 1}).reshape({1, shape.out, shape.window()});
  return {inPanels(matrix.transpose(1, 2)), inPanels(matrix)};
}

}  // namespace sqa
