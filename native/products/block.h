// Rows of a layer's products that are staged, multiplied and finished together.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>

#include "conv/scratch.h"
#include "products/product.h"

namespace sqa {

// Floats of a core's second cache, where what is staged and multiplied should stay.
constexpr int64_t kSecondCacheFloats = (1 << 20) / static_cast<int64_t>(sizeof(float));

// Floats from a row of so many to the next: no row begins where another does within a cache's sets.
constexpr int64_t paddedRow(int64_t floats) { return floats + 16 + (16 - floats % 16) % 16; }

// A thread's staged matrices and their products.
struct Stage {
  AlignedBuffer<float> staged, product, zeros;

  static Stage& ofThread() {
    thread_local Stage stage;
    return stage;
  }
};

// Products that are made of a number of rows at a time.
class Block {
 public:
  // Sums of `terms` products are made at a time.
  Block(const Direction& direction, int64_t matrices, int64_t inner, int64_t columns, int64_t terms)
      : kernels(productKernels(instructionSet())),
        matrices_(matrices),
        inner_(inner),
        terms_(terms),
        packed_(direction.packed) {
    const int64_t panel = kernels.panel;
    filled_ = (columns + panel - 1) / panel * panel;
    columns_ = columns;
    stagedRow = paddedRow(inner);
    productRow = paddedRow(filled_);
    // Rows should stay in the second cache, where there are enough of them that reading the weights again
    // costs little. Where many matrices do not stay there anyway, more rows make fewer readings.
    const int64_t fitting = kSecondCacheFloats / (matrices * (stagedRow + productRow));
    const int64_t worthReading = matrices == 1 ? 0 : inner * filled_ / (inner + filled_);
    setRows(std::clamp(std::max(fitting, worthReading), 2 * kernels.rowStep, int64_t{192}));
  }

  // Makes blocks smaller, so that `count` rows are blocks of about one size and as many for each thread.
  void share(int64_t count) {
    const int64_t threads = at::get_num_threads();
    const int64_t blocks = ((count + rows - 1) / rows + threads - 1) / threads * threads;
    setRows((count + blocks - 1) / blocks);
  }

  // Makes one block of `count` rows.
  void setRows(int64_t count) {
    rows = (count + kernels.rowStep - 1) / kernels.rowStep * kernels.rowStep;
    stagedMatrix = rows * stagedRow;
    productMatrix = rows * productRow;
  }

  float* staged() const { return Stage::ofThread().staged.of(matrices_ * stagedMatrix); }
  float* product() const { return Stage::ofThread().product.of(matrices_ * productMatrix); }

  void multiply(int64_t count) const { multiply(count, 0, matrices_, staged(), product()); }

  // Those of matrices begin .. end alone.
  void multiply(int64_t count, int64_t begin, int64_t end, const float* staged, float* product) const {
    for (int64_t m = begin; m < end; m++) {
      kernels.multiply({count, inner_, columns_, terms_, staged + m * stagedMatrix, stagedRow, 1,
                        packed_ + m * inner_ * filled_, inner_ * kernels.panel, kernels.panel,
                        product + m * productMatrix, productRow, false});
    }
  }

  const ProductKernels& kernels;
  int64_t rows, stagedRow, productRow, stagedMatrix, productMatrix;

 private:
  int64_t matrices_, inner_, terms_, filled_, columns_;
  const float* packed_;
};

}  // namespace sqa
