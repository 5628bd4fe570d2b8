// Products of matrices with packed weights, and what turns a convolution into such products.
//
// Images are channels-last. A layer's input is staged as matrices (rows, in), each multiplied by packed
// weights of its own, and finished as the layer's output: one matrix and a pixel a row for a convolution 1x1;
// for one of 3x3, a matrix for each point of a tile and a row for each tile of the output (Winograd's minimal
// filtering; Lavin and Gray 2015).
#pragma once

#include <cstdint>

#include "vectors/instruction_set.h"

namespace sqa {

// Tiles of 2 x 2 outputs, F(2 x 2, 3 x 3), take 16 multiplications where the definition takes 36; those of 4
// x 4 take 36 in place of 144.
template <int kSide>
struct Tile {
  static constexpr int kReach = kSide + 2;  // pixels of the input on its side, and points of one axis
  static constexpr int kPoints = kReach * kReach;
  static constexpr int kOutputs = kSide * kSide;
};

// The points of F(4, 3) are 0, near, -near, far, -far and infinity. Chosen by the errors measured
// (docs/performance.md); the coefficients that they make are exact in float32.
constexpr float kNear = 0.625f, kFar = 1.5f;

// The pixels in memory that a tile reads, (row, column); those outside of the image are zeros'.
template <int kSide>
struct TileInput {
  const float* input[Tile<kSide>::kPoints];
  // Where not null, outputs that ReLU made: the input counts where they are above zero.
  const float* passed[Tile<kSide>::kPoints];
};

// The places that a tile writes to.
template <int kSide>
struct TileOutput {
  float* output[Tile<kSide>::kOutputs];          // null where outside of the image
  const float* residual[Tile<kSide>::kOutputs];  // null for none
};

// The places where a tile of the output's gradient is read; zeros' outside of the image.
template <int kSide>
struct TileGradient {
  const float* gradient[Tile<kSide>::kOutputs];
};

// The work on an output before it is written.
struct Finish {
  const float* bias;  // null for none
  bool relu;
};

template <int kSide>
struct TileKernels {
  // A tile's row of each of the matrices, `matrix` floats apart.
  void (*stage)(const TileInput<kSide>& tile, int64_t channels, float* staged, int64_t matrix);
  // A tile's pixels out of its row of each of the products.
  void (*finish)(const TileOutput<kSide>& tile, int64_t channels, const float* products, int64_t matrix,
                 const Finish& finish);
  // Kernels 3x3 at a tile's points: `count` of them, at most `channelStep`, `step` floats apart, as they are
  // or turned by half a circle. Their values at a point lie side by side, filled up with zeros, those of the
  // next point `matrix` floats on.
  void (*pack)(const float* kernels, int64_t step, int64_t count, bool isTurned, float* packed,
               int64_t matrix);
  // A tile's row of each of the matrices of the output's gradient, for the gradient of the kernels.
  void (*stageGradient)(const TileGradient<kSide>& tile, int64_t channels, float* staged, int64_t matrix);
  // Gradients of `count` kernels, as `pack` has them, out of the products of both.
  void (*unpack)(const float* products, int64_t matrix, int64_t count, float* kernels, int64_t step);
};

// Two matrices and their product, (rows, inner) times (inner, columns), each row of the product `productRow`
// floats apart.
struct Product {
  int64_t rows, inner, columns;
  // Sums of so many products are made at a time and then added up: the fewer, the smaller the error.
  int64_t terms;
  const float* left;
  int64_t leftRow, leftTerm;  // floats from a row to the next, and from a term to the next
  const float* right;
  int64_t rightPanel, rightTerm;  // floats from a panel of columns to the next, and from a term to the next
  float* product;
  int64_t productRow;
  bool isAdded;  // to what the product holds already
};

// The functions of one instruction set. Channels are multiples of `channelStep`. Each sum runs in one order,
// whatever the number of rows or threads.
struct ProductKernels {
  int64_t panel;        // columns of packed weights that lie together
  int64_t rowStep;      // a number of rows that is worked on fastest
  int64_t channelStep;
  // Columns are computed up to the next multiple of `channelStep`, which memory must have.
  void (*multiply)(const Product& product);
  TileKernels<2> tiles2;
  TileKernels<4> tiles4;
  // A row of a lone matrix: a pixel's channels, where `passed` is above zero unless that is null.
  void (*stageRow)(const float* input, const float* passed, int64_t channels, float* staged);
  // A pixel out of its row of the product, with a residual unless that is null. Any number of channels.
  void (*finishRow)(const float* product, const float* residual, int64_t channels, const Finish& finish,
                    float* output);
};

// Those of a set that the addon was compiled for and the processor has.
const ProductKernels& productKernels(InstructionSet set);

}  // namespace sqa
