#include <algorithm>

#include "memory/parallel.h"
#include "products/block.h"
#include "tiles/tiling.h"

namespace sqa {
namespace {

// Terms of a sum at a time for tiles of 4 x 4: short sums make up for what the transforms add to errors.
constexpr int64_t kTermsOfTiles4 = 32;

template <int kSide>
void run(const Direction& d, const TileKernels<kSide>& kernels) {
  constexpr int kPoints = Tile<kSide>::kPoints;
  const int64_t from = d.channelsFrom(), to = d.channelsTo();
  Block block(d, kPoints, from, to, kSide == 4 ? kTermsOfTiles4 : from);
  const Tiling<kSide> tiles(d.images, d.output);
  const auto stage = [&](int64_t first, int64_t begin, int64_t end, float* staged) {
    const float* zeros = Stage::ofThread().zeros.zeroed(from);
    for (int64_t r = begin; r < end; r++) {
      TileInput<kSide> tile{};
      tiles.around(first + r, d.from, from, zeros, tile.input);
      if (d.passed != nullptr) tiles.around(first + r, d.passed, from, zeros, tile.passed);
      kernels.stage(tile, from, staged + r * block.stagedRow, block.stagedMatrix);
    }
  };
  const auto finish = [&](int64_t first, int64_t begin, int64_t end, const float* product) {
    for (int64_t r = begin; r < end; r++) {
      TileOutput<kSide> tile{};
      tiles.within(first + r, d.to, to, nullptr, tile.output);
      if (d.residual != nullptr) tiles.within(first + r, d.residual, to, nullptr, tile.residual);
      kernels.finish(tile, to, product + r * block.productRow, block.productMatrix, d.finish);
    }
  };
  if (tiles.count() <= block.rows) {
    // Threads share the matrices, so that each reads its own part of the weights alone.
    block.setRows(tiles.count());
    float *staged = block.staged(), *product = block.product();
    parallelFor(tiles.count(), kTilesTaken,
                [&](int64_t begin, int64_t end) { stage(0, begin, end, staged); });
    parallelFor(kPoints, 1, [&](int64_t begin, int64_t end) {
      block.multiply(tiles.count(), begin, end, staged, product);
    });
    parallelFor(tiles.count(), kTilesTaken,
                [&](int64_t begin, int64_t end) { finish(0, begin, end, product); });
    return;
  }
  block.share(tiles.count());
  parallelFor((tiles.count() + block.rows - 1) / block.rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t first = begin * block.rows; first < std::min(end * block.rows, tiles.count());
         first += block.rows) {
      const int64_t count = std::min(block.rows, tiles.count() - first);
      float *staged = block.staged(), *product = block.product();
      stage(first, 0, count, staged);
      block.multiply(count);
      finish(first, 0, count, product);
    }
  });
}

}  // namespace

void runTiles(const Direction& direction) {
  const ProductKernels& kernels = productKernels(instructionSet());
  if (direction.shape.form == Form::tiles4) return run(direction, kernels.tiles4);
  run(direction, kernels.tiles2);
}

}  // namespace sqa
