// Products of matrices with weights that are packed once, and what turns a convolution into such products.
//
// Images are channels-last. A layer's input is staged as matrices (rows, in), each multiplied by packed weights of its own,
// and finished as the layer's output: one matrix and a pixel a row for a convolution 1x1; for one of 3x3, 16 matrices with a
// row for each 2 x 2 pixels of the output (Winograd's minimal filtering F(2 x 2, 3 x 3); Lavin and Gray 2015), which
// take 16 multiplications where the definition takes 36.
#pragma once

#include <cstdint>

#include "vectors/instruction_set.h"

namespace sqa {

// Matrices of a 3x3 layer, and so the points of its tiles.
constexpr int kTilePoints = 16;

// Output pixels on a tile's side.
constexpr int64_t kTileSide = 2;

// One tile's place: its pixels in memory, those outside of the image replaced by what is given for them.
struct TilePixels {
  const float* input[kTilePoints];    // 4 x 4 pixels of the input; zeros where outside
  const float* passed[kTilePoints];   // where not null, outputs that ReLU made: the input counts where they are above zero
  float* output[kTileSide * kTileSide];  // 2 x 2 pixels of the output; null where outside
  const float* residual[kTileSide * kTileSide];  // null for none
};

// What is done to an output before it is written.
struct Finish {
  const float* bias;  // null for none
  bool relu;
};

// The functions of one instruction set. Channels are multiples of `channelStep`. Each sum runs in one order, whatever the number of
// rows or threads.
struct ProductKernels {
  int64_t panel;        // columns of packed weights that lie together
  int64_t rowStep;      // a number of rows that is worked on fastest
  int64_t channelStep;
  // product (rows, columns) = matrix (rows, inner) times a packed one. `packed` holds panels of (inner, panel); columns fill panels.
  void (*multiply)(int64_t rows, int64_t inner, int64_t columns, const float* matrix, int64_t matrixRow, const float* packed,
                   float* product, int64_t productRow);
  // A tile's row of each of the 16 matrices, `matrix` floats apart.
  void (*stageTile)(const TilePixels& tile, int64_t channels, float* staged, int64_t matrix);
  // A tile's pixels out of its row of each of the 16 products.
  void (*finishTile)(const TilePixels& tile, int64_t channels, const float* products, int64_t matrix, const Finish& finish);
  // A row of a lone matrix: a pixel's channels, where `passed` is above zero unless that is null.
  void (*stageRow)(const float* input, const float* passed, int64_t channels, float* staged);
  // A pixel out of its row of the product, with a residual unless that is null. Any number of channels.
  void (*finishRow)(const float* product, const float* residual, int64_t channels, const Finish& finish, float* output);
};

// Those of a set that the addon was compiled for and the processor has.
const ProductKernels& productKernels(InstructionSet set);

}  // namespace sqa
