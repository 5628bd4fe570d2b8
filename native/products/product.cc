#include "products/product.h"

#include <algorithm>
#include <cstring>

#include "conv/scratch.h"
#include "memory/parallel.h"

namespace sqa {
namespace {

// A thread's staged matrices and their products.
struct Stage {
  AlignedBuffer<float> staged, product, zeros;

  static Stage& ofThread() {
    thread_local Stage stage;
    return stage;
  }
};

// Rows that are worked on at a time: staged and multiplied they should stay in a core's second cache, where there are enough
// of them that reading the weights again costs little.
class Block {
 public:
  Block(const Direction& direction, int64_t matrices, int64_t inner, int64_t columns)
      : kernels(productKernels(instructionSet())), matrices_(matrices), inner_(inner), packed_(direction.packed) {
    const int64_t panel = kernels.panel;
    filled_ = (columns + panel - 1) / panel * panel;
    // No row begins where another does within a cache's sets.
    stagedRow = inner + 16 + (16 - inner % 16) % 16;
    productRow = filled_ + 16;
    constexpr int64_t kSecondCache = 1 << 20;
    const int64_t fitting = kSecondCache / static_cast<int64_t>(sizeof(float)) / (matrices * (stagedRow + productRow));
    rows = std::clamp(fitting / kernels.rowStep, int64_t{4}, int64_t{16}) * kernels.rowStep;
    stagedMatrix = rows * stagedRow;
    productMatrix = rows * productRow;
  }

  float* staged() const { return Stage::ofThread().staged.of(matrices_ * stagedMatrix); }
  float* product() const { return Stage::ofThread().product.of(matrices_ * productMatrix); }

  void multiply(int64_t count) const {
    for (int64_t m = 0; m < matrices_; m++) {
      kernels.multiply(count, inner_, filled_, staged() + m * stagedMatrix, stagedRow, packed_ + m * inner_ * filled_,
                       product() + m * productMatrix, productRow);
    }
  }

  const ProductKernels& kernels;
  int64_t rows, stagedRow, productRow, stagedMatrix, productMatrix;

 private:
  int64_t matrices_, inner_, filled_;
  const float* packed_;
};

const float* at(const float* base, int64_t offset) { return base == nullptr ? nullptr : base + offset; }

// One row a pixel.
void runPixels(const Direction& d) {
  const int64_t from = d.channelsFrom(), to = d.channelsTo(), pixels = d.images * d.output.pixels();
  const Block block(d, 1, from, to);
  parallelFor((pixels + block.rows - 1) / block.rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t first = begin * block.rows; first < std::min(end * block.rows, pixels); first += block.rows) {
      const int64_t count = std::min(block.rows, pixels - first);
      float *staged = block.staged(), *product = block.product();
      for (int64_t r = 0; r < count; r++) {
        const int64_t pixel = (first + r) * from;
        block.kernels.stageRow(d.from + pixel, at(d.passed, pixel), from, staged + r * block.stagedRow);
      }
      block.multiply(count);
      for (int64_t r = 0; r < count; r++) {
        const int64_t pixel = (first + r) * to;
        block.kernels.finishRow(product + r * block.productRow, at(d.residual, pixel), to, d.finish, d.to + pixel);
      }
    }
  });
}

// The part of a window's row of pixels that lies within the image.
struct Run {
  int64_t pixel;   // first pixel of the image
  int64_t window;  // first float of the window
  int64_t count;   // floats; 0 where the whole row lies outside
};

Run runOf(const Direction& d, int64_t output, int64_t row) {
  const auto& [height, width, strideY, strideX, paddingY, paddingX] = d.shape.geometry;
  const int64_t y = output / d.output.width * strideY - paddingY + row, x = output % d.output.width * strideX - paddingX;
  const int64_t low = std::max<int64_t>(x, 0), high = std::min(x + width, d.input.width);
  const bool isInside = y >= 0 && y < d.input.height && low < high;
  return {y * d.input.width + low, (row * width + low - x) * d.shape.in, isInside ? (high - low) * d.shape.in : 0};
}

// One row a window. An image at a time: back, windows overlap, and their sums are to run in one order.
void runWindows(const Direction& d) {
  const int64_t window = d.shape.window(), out = d.shape.out, in = d.shape.in, rowsOfKernel = d.shape.geometry.kernelHeight;
  const int64_t inputFloats = d.input.pixels() * in, outputFloats = d.output.pixels() * out;
  const Block block(d, 1, d.isBackward ? out : window, d.isBackward ? window : out);
  parallelFor(d.images, 1, [&](int64_t begin, int64_t end) {
    float *staged = block.staged(), *product = block.product();
    for (int64_t n = begin; n < end; n++) {
      if (d.isBackward) std::fill_n(d.to + n * inputFloats, inputFloats, 0.0f);
      for (int64_t first = 0; first < d.output.pixels(); first += block.rows) {
        const int64_t count = std::min(block.rows, d.output.pixels() - first);
        for (int64_t r = 0; r < count; r++) {
          float* row = staged + r * block.stagedRow;
          if (d.isBackward) {
            const int64_t pixel = n * outputFloats + (first + r) * out;
            block.kernels.stageRow(d.from + pixel, at(d.passed, pixel), out, row);
            continue;
          }
          std::fill_n(row, window, 0.0f);
          for (int64_t ky = 0; ky < rowsOfKernel; ky++) {
            const Run run = runOf(d, first + r, ky);
            std::copy_n(d.from + n * inputFloats + run.pixel * in, run.count, row + run.window);
          }
        }
        block.multiply(count);
        for (int64_t r = 0; r < count; r++) {
          const float* row = product + r * block.productRow;
          if (!d.isBackward) {
            const int64_t pixel = n * outputFloats + (first + r) * out;
            block.kernels.finishRow(row, at(d.residual, pixel), out, d.finish, d.to + pixel);
            continue;
          }
          for (int64_t ky = 0; ky < rowsOfKernel; ky++) {
            const Run run = runOf(d, first + r, ky);
            float* pixel = d.to + n * inputFloats + run.pixel * in;
            for (int64_t i = 0; i < run.count; i++) pixel[i] += row[run.window + i];
          }
        }
      }
    }
  });
}

// One row a tile, and 16 matrices. Input and output have the same sides.
class Tiles {
 public:
  explicit Tiles(const Direction& direction)
      : d_(direction),
        down_((d_.output.height + kTileSide - 1) / kTileSide),
        across_((d_.output.width + kTileSide - 1) / kTileSide) {}

  int64_t count() const { return d_.images * down_ * across_; }

  // Where tile number `index` lies; `zeros` stands for what lies outside of the image.
  TilePixels at(int64_t index, const float* zeros) const {
    TilePixels tile{};
    const int64_t from = d_.channelsFrom(), to = d_.channelsTo(), width = d_.input.width, height = d_.input.height;
    const int64_t image = index / (down_ * across_), place = index % (down_ * across_);
    const int64_t top = place / across_ * kTileSide, left = place % across_ * kTileSide;
    const int64_t base = image * height * width;
    for (int64_t i = 0; i < kTilePoints; i++) {
      const int64_t y = top + i / 4 - 1, x = left + i % 4 - 1;
      const bool isInside = y >= 0 && y < height && x >= 0 && x < width;
      const int64_t pixel = (base + y * width + x) * from;
      tile.input[i] = isInside ? d_.from + pixel : zeros;
      if (d_.passed != nullptr) tile.passed[i] = isInside ? d_.passed + pixel : zeros;
    }
    for (int64_t i = 0; i < kTileSide * kTileSide; i++) {
      const int64_t y = top + i / kTileSide, x = left + i % kTileSide;
      if (y >= height || x >= width) continue;
      const int64_t pixel = (base + y * width + x) * to;
      tile.output[i] = d_.to + pixel;
      if (d_.residual != nullptr) tile.residual[i] = d_.residual + pixel;
    }
    return tile;
  }

 private:
  const Direction& d_;
  int64_t down_, across_;
};

void runTiles(const Direction& d) {
  const int64_t from = d.channelsFrom(), to = d.channelsTo();
  const Block block(d, kTilePoints, from, to);
  const Tiles tiles(d);
  parallelFor((tiles.count() + block.rows - 1) / block.rows, 1, [&](int64_t begin, int64_t end) {
    const float* zeros = Stage::ofThread().zeros.zeroed(from);
    for (int64_t first = begin * block.rows; first < std::min(end * block.rows, tiles.count()); first += block.rows) {
      const int64_t count = std::min(block.rows, tiles.count() - first);
      float *staged = block.staged(), *product = block.product();
      for (int64_t r = 0; r < count; r++) {
        block.kernels.stageTile(tiles.at(first + r, zeros), from, staged + r * block.stagedRow, block.stagedMatrix);
      }
      block.multiply(count);
      for (int64_t r = 0; r < count; r++) {
        block.kernels.finishTile(tiles.at(first + r, zeros), to, product + r * block.productRow, block.productMatrix, d.finish);
      }
    }
  });
}

}  // namespace

void runProduct(const Direction& direction) {
  switch (direction.shape.form()) {
    case Form::pixels:
      return runPixels(direction);
    case Form::windows:
      return runWindows(direction);
    case Form::tiles:
      return runTiles(direction);
  }
}

}  // namespace sqa
