#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "memory/parallel.h"
#include "products/layer.h"

namespace sqa {
namespace {

// Rows of panels in a piece of work.
constexpr int64_t kRowsTaken = 16;

int64_t panelsOf(int64_t columns) {
  const int64_t panel = productKernels(instructionSet()).panel;
  return (columns + panel - 1) / panel;
}

// Matrices (matrices, inner, columns) to panels, the last of them filled up with zeros.
at::Tensor inPanels(const at::Tensor& matrices) {
  const int64_t panel = productKernels(instructionSet()).panel, panels = panelsOf(matrices.size(2));
  const at::Tensor filled = at::constant_pad_nd(matrices, {0, panels * panel - matrices.size(2)});
  return filled.reshape({matrices.size(0), matrices.size(1), panels, panel})
      .permute({0, 2, 1, 3})
      .contiguous();
}

// Kernels (out, in, 3, 3) at the points of a tile, in panels: forward of a panel's outputs for each input,
// back the other way round and turned by half a circle.
template <int kSide>
at::Tensor atPoints(const at::Tensor& kernels, bool isBackward, const TileKernels<kSide>& tile) {
  const ProductKernels& set = productKernels(instructionSet());
  const at::Tensor given = kernels.contiguous();
  const int64_t out = given.size(0), in = given.size(1), inner = isBackward ? out : in,
                columns = isBackward ? in : out;
  const int64_t ofColumn = 9 * (isBackward ? 1 : in), ofInner = 9 * (isBackward ? in : 1);
  at::Tensor packed = at::empty({Tile<kSide>::kPoints, panelsOf(columns), inner, set.panel}, given.options());
  const float* from = given.data_ptr<float>();
  float* to = packed.data_ptr<float>();
  parallelFor(panelsOf(columns) * inner, kRowsTaken, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const int64_t first = row / inner * set.panel, k = row % inner;
      for (int64_t c = 0; c < set.panel; c += set.channelStep) {
        const int64_t count = std::clamp<int64_t>(columns - first - c, 0, set.channelStep);
        tile.pack(from + (first + c) * ofColumn + k * ofInner, ofColumn, count, isBackward,
                  to + row * set.panel + c, packed.stride(0));
      }
    }
  });
  return packed;
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

at::Tensor packTiles(const at::Tensor& kernels, Form form, bool isBackward) {
  const at::NoGradGuard guard;
  const ProductKernels& set = productKernels(instructionSet());
  if (form == Form::tiles4) return atPoints(kernels, isBackward, set.tiles4);
  return atPoints(kernels, isBackward, set.tiles2);
}

PackedWeights packWeights(const at::Tensor& weight, const Geometry& geometry, const Sides& images) {
  const at::NoGradGuard guard;
  const bool isLinear = weight.dim() == 2;
  TORCH_CHECK(isLinear || weight.dim() == 4, "weights must have shape (out, in) or (out, in, H, W), not ",
              weight.sizes());
  TORCH_CHECK(weight.scalar_type() == at::kFloat && weight.device().is_cpu(),
              "weights must be float32 on the CPU");
  TORCH_CHECK(weight.numel() > 0, "weights must not be empty");
  const at::Tensor kernel = isLinear ? weight.reshape({weight.size(0), weight.size(1), 1, 1}) : weight;
  TORCH_CHECK(kernel.size(2) == geometry.kernelHeight && kernel.size(3) == geometry.kernelWidth,
              "weights of shape ", weight.sizes(), " do not fit the kernel's sides");
  const int64_t in = kernel.size(1), out = kernel.size(0);
  const LayerShape shape{in, out, geometry, formFor(in, out, geometry, images)};
  if (matricesOf(shape.form) > 1)
    return {packTiles(kernel, shape.form, false), packTiles(kernel, shape.form, true)};
  const at::Tensor matrix = kernel.permute({0, 2, 3, 1}).reshape({1, shape.out, shape.window()});
  return {inPanels(matrix.transpose(1, 2)), inPanels(matrix)};
}

}  // namespace sqa
