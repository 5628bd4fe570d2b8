#include "tiles/kernel_gradient.h"

#include <algorithm>

#include "memory/parallel.h"
#include "products/block.h"
#include "tiles/tiling.h"

namespace sqa {
namespace {

// Tiles whose products are summed at a time.
constexpr int64_t kTermsOfKernels = 32;

// Matrices of a number of tiles, one row a tile and one matrix a point: of the input, of the output's
// gradient, and their product, one row a channel of the input.
struct Matrices {
  int64_t tiles, inputRow, gradientRow, productRow;

  Matrices(const LayerShape& shape, int64_t points, int64_t all) {
    inputRow = paddedRow(shape.in);
    gradientRow = paddedRow(shape.out);
    productRow = paddedRow(shape.out);
    // Tiles should stay in the second cache, but each block of them reads and writes the product once.
    const int64_t fitting = kSecondCacheFloats / (points * (inputRow + gradientRow));
    const int64_t worthReading = 2 * shape.in * shape.out / (shape.in + shape.out);
    tiles = std::clamp(std::max(fitting, worthReading) / kTermsOfKernels * kTermsOfKernels, kTermsOfKernels,
                       int64_t{256});
    tiles = std::min(tiles, all);
  }
};

template <int kSide>
void run(const KernelGradient& work, const TileKernels<kSide>& kernels) {
  constexpr int64_t kPoints = Tile<kSide>::kPoints;
  const ProductKernels& set = productKernels(instructionSet());
  const int64_t in = work.shape.in, out = work.shape.out;
  const Tiling<kSide> tiles(work.images, work.sides);
  const Matrices sizes(work.shape, kPoints, tiles.count());
  const int64_t inputMatrix = sizes.tiles * sizes.inputRow, gradientMatrix = sizes.tiles * sizes.gradientRow;
  const int64_t productMatrix = in * sizes.productRow;
  Stage& stage = Stage::ofThread();
  float* staged = stage.staged.of(kPoints * (inputMatrix + gradientMatrix));
  float *stagedGradient = staged + kPoints * inputMatrix,
        *product = stage.product.of(kPoints * productMatrix);
  const float* zeros = stage.zeros.zeroed(std::max(in, out));
  for (int64_t first = 0; first < tiles.count(); first += sizes.tiles) {
    const int64_t count = std::min(sizes.tiles, tiles.count() - first);
    parallelFor(count, kTilesTaken, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        TileInput<kSide> input{};
        tiles.around(first + r, work.input, in, zeros, input.input);
        kernels.stage(input, in, staged + r * sizes.inputRow, inputMatrix);
        TileGradient<kSide> gradient{};
        tiles.within(first + r, work.gradient, out, zeros, gradient.gradient);
        kernels.stageGradient(gradient, out, stagedGradient + r * sizes.gradientRow, gradientMatrix);
      }
    });
    parallelFor(kPoints, 1, [&](int64_t begin, int64_t end) {
      for (int64_t m = begin; m < end; m++) {
        set.multiply({in, count, out, kTermsOfKernels, staged + m * inputMatrix, 1, sizes.inputRow,
                      stagedGradient + m * gradientMatrix, set.panel, sizes.gradientRow,
                      product + m * productMatrix, sizes.productRow, first > 0});
      }
    });
  }
  parallelFor(in, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      for (int64_t o = 0; o < out; o += set.channelStep) {
        kernels.unpack(product + i * sizes.productRow + o, productMatrix, std::min(set.channelStep, out - o),
                       work.kernels + (o * in + i) * 9, in * 9);
      }
    }
  });
}

}  // namespace

void runKernelGradient(const KernelGradient& work) {
  const ProductKernels& kernels = productKernels(instructionSet());
  if (work.shape.form == Form::tiles4) return run(work, kernels.tiles4);
  run(work, kernels.tiles2);
}

}  // namespace sqa
