#include "products/product.h"

#include <algorithm>
#include <cstring>

#include "memory/parallel.h"
#include "products/block.h"

namespace sqa {
namespace {

const float* at(const float* base, int64_t offset) { return base == nullptr ? nullptr : base + offset; }

// One row a pixel.
void runPixels(const Direction& d) {
  const int64_t from = d.channelsFrom(), to = d.channelsTo(), pixels = d.images * d.output.pixels();
  const Block block(d, 1, from, to, from);
  parallelFor((pixels + block.rows - 1) / block.rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t first = begin * block.rows; first < std::min(end * block.rows, pixels);
         first += block.rows) {
      const int64_t count = std::min(block.rows, pixels - first);
      float *staged = block.staged(), *product = block.product();
      for (int64_t r = 0; r < count; r++) {
        const int64_t pixel = (first + r) * from;
        block.kernels.stageRow(d.from + pixel, at(d.passed, pixel), from, staged + r * block.stagedRow);
      }
      block.multiply(count);
      for (int64_t r = 0; r < count; r++) {
        const int64_t pixel = (first + r) * to;
        block.kernels.finishRow(product + r * block.productRow, at(d.residual, pixel), to, d.finish,
                                d.to + pixel);
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
  const int64_t y = output / d.output.width * strideY - paddingY + row,
                x = output % d.output.width * strideX - paddingX;
  const int64_t low = std::max<int64_t>(x, 0), high = std::min(x + width, d.input.width);
  const bool isInside = y >= 0 && y < d.input.height && low < high;
  return {y * d.input.width + low, (row * width + low - x) * d.shape.in,
          isInside ? (high - low) * d.shape.in : 0};
}

// One row a window. An image at a time: back, windows overlap, and their sums are to run in one order.
void runWindows(const Direction& d) {
  const int64_t window = d.shape.window(), out = d.shape.out, in = d.shape.in,
                rowsOfKernel = d.shape.geometry.kernelHeight;
  const int64_t inputFloats = d.input.pixels() * in, outputFloats = d.output.pixels() * out;
  const int64_t from = d.isBackward ? out : window, to = d.isBackward ? window : out;
  const Block block(d, 1, from, to, from);
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

}  // namespace

void runProduct(const Direction& direction) {
  switch (direction.shape.form) {
    case Form::pixels:
      return runPixels(direction);
    case Form::windows:
      return runWindows(direction);
    case Form::tiles2:
    case Form::tiles4:
      return runTiles(direction);
  }
}

}  // namespace sqa
