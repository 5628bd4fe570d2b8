#include <algorithm>

#include "memory/parallel.h"
#include "products/block.h"

namespace sqa {
namespace {

// Terms of a sum at a time for tiles of 4 x 4: short sums make up for what the transforms add to errors.
constexpr int64_t kTermsOfTiles4 = 32;

// Tiles in a piece of work where threads share few of them.
constexpr int64_t kTilesTaken = 8;

// One row a tile, and a matrix a point. Input and output have the same sides.
template <int kSide>
class Tiles {
 public:
  explicit Tiles(const Direction& direction)
      : d_(direction), down_((d_.output.height + kSide - 1) / kSide), across_((d_.output.width + kSide - 1) / kSide) {}

  int64_t count() const { return d_.images * down_ * across_; }

  // What tile number `index` reads; `zeros` stands for what lies outside of the image.
  TileInput<kSide> input(int64_t index, const float* zeros) const {
    TileInput<kSide> tile{};
    const Corner corner = cornerOf(index);
    const int64_t channels = d_.channelsFrom();
    int i = 0;
    for (int64_t y = corner.top - 1; y <= corner.top + kSide; y++) {
      for (int64_t x = corner.left - 1; x <= corner.left + kSide; x++, i++) {
        const bool isInside = y >= 0 && y < d_.input.height && x >= 0 && x < d_.input.width;
        const int64_t pixel = (corner.base + y * d_.input.width + x) * channels;
        tile.input[i] = isInside ? d_.from + pixel : zeros;
        if (d_.passed != nullptr) tile.passed[i] = isInside ? d_.passed + pixel : zeros;
      }
    }
    return tile;
  }

  // What it writes.
  TileOutput<kSide> output(int64_t index) const {
    TileOutput<kSide> tile{};
    const Corner corner = cornerOf(index);
    const int64_t channels = d_.channelsTo();
    const int64_t down = std::min<int64_t>(kSide, d_.output.height - corner.top);
    const int64_t across = std::min<int64_t>(kSide, d_.output.width - corner.left);
    for (int64_t y = 0; y < down; y++) {
      for (int64_t x = 0; x < across; x++) {
        const int64_t pixel = (corner.base + (corner.top + y) * d_.output.width + corner.left + x) * channels;
        tile.output[y * kSide + x] = d_.to + pixel;
        if (d_.residual != nullptr) tile.residual[y * kSide + x] = d_.residual + pixel;
      }
    }
    return tile;
  }

 private:
  // First pixel of the image, and of the tile within it.
  struct Corner {
    int64_t base, top, left;
  };

  Corner cornerOf(int64_t index) const {
    const int64_t image = index / (down_ * across_), place = index % (down_ * across_);
    return {image * d_.output.pixels(), place / across_ * kSide, place % across_ * kSide};
  }

  const Direction& d_;
  int64_t down_, across_;
};

template <int kSide>
void run(const Direction& d, const TileKernels<kSide>& kernels) {
  constexpr int kPoints = Tile<kSide>::kPoints;
  const int64_t from = d.channelsFrom(), to = d.channelsTo();
  Block block(d, kPoints, from, to, kSide == 4 ? kTermsOfTiles4 : from);
  const Tiles<kSide> tiles(d);
  const auto stage = [&](int64_t first, int64_t begin, int64_t end, float* staged) {
    const float* zeros = Stage::ofThread().zeros.zeroed(from);
    for (int64_t r = begin; r < end; r++) {
      kernels.stage(tiles.input(first + r, zeros), from, staged + r * block.stagedRow, block.stagedMatrix);
    }
  };
  const auto finish = [&](int64_t first, int64_t begin, int64_t end, const float* product) {
    for (int64_t r = begin; r < end; r++) {
      kernels.finish(tiles.output(first + r), to, product + r * block.productRow, block.productMatrix, d.finish);
    }
  };
  if (tiles.count() <= block.rows) {
    // Threads share the matrices, so that each reads its own part of the weights alone.
    block.setRows(tiles.count());
    float *staged = block.staged(), *product = block.product();
    parallelFor(tiles.count(), kTilesTaken, [&](int64_t begin, int64_t end) { stage(0, begin, end, staged); });
    parallelFor(kPoints, 1, [&](int64_t begin, int64_t end) { block.multiply(tiles.count(), begin, end, staged, product); });
    parallelFor(tiles.count(), kTilesTaken, [&](int64_t begin, int64_t end) { finish(0, begin, end, product); });
    return;
  }
  block.share(tiles.count());
  parallelFor((tiles.count() + block.rows - 1) / block.rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t first = begin * block.rows; first < std::min(end * block.rows, tiles.count()); first += block.rows) {
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
