// The kernels, written once: kernels.cc includes this for each instruction set, in a namespace that has defined kWide (8 or 16 lanes),
// kTileRows, multiplyAdd and broadcast. Each value is a lane of its own, so that sets with a fused multiply-add give the same bits.
// No function of the standard library here: its code would be compiled for this instruction set and could be linked to where another is
// needed.

#include "vectors/vectors_body.h"

using Lanes = Floats<kWide>;

// kRows rows times two vectors of columns, all sums in registers.
template <int kRows>
inline void multiplyTile(int64_t inner, const float* matrix, int64_t matrixRow, const float* packed, float* product,
                         int64_t productRow) {
  Lanes sums[kRows][2] = {};
  const float* row[kRows];
#pragma GCC unroll 12
  for (int r = 0; r < kRows; r++) row[r] = matrix + r * matrixRow;
  for (int64_t k = 0; k < inner; k++) {
    const Lanes a = load<kWide>(packed), b = load<kWide>(packed + kWide);
    packed += 2 * kWide;
#pragma GCC unroll 12
    for (int r = 0; r < kRows; r++) {
      const Lanes x = broadcast<kWide>(row[r] + k);
      sums[r][0] = multiplyAdd(x, a, sums[r][0]);
      sums[r][1] = multiplyAdd(x, b, sums[r][1]);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < kRows; r++) {
    store<kWide>(product + r * productRow, sums[r][0]);
    store<kWide>(product + r * productRow + kWide, sums[r][1]);
  }
}

void multiply(int64_t rows, int64_t inner, int64_t columns, const float* matrix, int64_t matrixRow, const float* packed,
              float* product, int64_t productRow) {
  for (int64_t c = 0; c < columns; c += 2 * kWide) {
    const float* panel = packed + c * inner;
    int64_t r = 0;
    for (; r + kTileRows <= rows; r += kTileRows) {
      multiplyTile<kTileRows>(inner, matrix + r * matrixRow, matrixRow, panel, product + r * productRow + c, productRow);
    }
    for (; r + 4 <= rows; r += 4) {
      multiplyTile<4>(inner, matrix + r * matrixRow, matrixRow, panel, product + r * productRow + c, productRow);
    }
    for (; r < rows; r++) {
      multiplyTile<1>(inner, matrix + r * matrixRow, matrixRow, panel, product + r * productRow + c, productRow);
    }
  }
}

// As libtorch has it: an output that is NaN passes gradients.
inline Lanes passedOn(Lanes value, Lanes output) {
  const Lanes zero = {};
  return output <= zero ? zero : value;
}

// Rows of B' of F(2, 3): [d0 - d2, d1 + d2, d2 - d1, d1 - d3].
inline void stageFour(const Lanes* d, int step, Lanes* to) {
  to[0] = d[0] - d[2 * step];
  to[step] = d[step] + d[2 * step];
  to[2 * step] = d[2 * step] - d[step];
  to[3 * step] = d[step] - d[3 * step];
}

template <bool kMasked>
inline void stageTileOf(const TilePixels& tile, int64_t channels, float* staged, int64_t matrix) {
  for (int64_t c = 0; c < channels; c += kWide) {
    Lanes d[kTilePoints], half[kTilePoints];
#pragma GCC unroll 16
    for (int i = 0; i < kTilePoints; i++) {
      d[i] = load<kWide>(tile.input[i] + c);
      if (kMasked) d[i] = passedOn(d[i], load<kWide>(tile.passed[i] + c));
    }
#pragma GCC unroll 4
    for (int column = 0; column < 4; column++) stageFour(d + column, 4, half + column);
#pragma GCC unroll 4
    for (int row = 0; row < 4; row++) stageFour(half + 4 * row, 1, d + 4 * row);
#pragma GCC unroll 16
    for (int i = 0; i < kTilePoints; i++) store<kWide>(staged + i * matrix + c, d[i]);
  }
}

void stageTile(const TilePixels& tile, int64_t channels, float* staged, int64_t matrix) {
  if (tile.passed[0] != nullptr) {
    stageTileOf<true>(tile, channels, staged, matrix);
  } else {
    stageTileOf<false>(tile, channels, staged, matrix);
  }
}

inline Lanes finished(Lanes value, const float* bias, const float* residual, bool relu) {
  if (bias != nullptr) value += load<kWide>(bias);
  if (residual != nullptr) value += load<kWide>(residual);
  const Lanes zero = {};
  // NaN is not below zero and stays.
  return relu ? (value < zero ? zero : value) : value;
}

void finishTile(const TilePixels& tile, int64_t channels, const float* products, int64_t matrix, const Finish& finish) {
  for (int64_t c = 0; c < channels; c += kWide) {
    Lanes m[kTilePoints], half[8];
#pragma GCC unroll 16
    for (int i = 0; i < kTilePoints; i++) m[i] = load<kWide>(products + i * matrix + c);
    // Rows of A' of F(2, 3): [m0 + m1 + m2, m1 - m2 - m3].
#pragma GCC unroll 4
    for (int column = 0; column < 4; column++) {
      half[column] = m[column] + m[4 + column] + m[8 + column];
      half[4 + column] = m[4 + column] - m[8 + column] - m[12 + column];
    }
#pragma GCC unroll 2
    for (int row = 0; row < 2; row++) {
      const Lanes* four = half + 4 * row;
      const Lanes out[2] = {four[0] + four[1] + four[2], four[1] - four[2] - four[3]};
#pragma GCC unroll 2
      for (int column = 0; column < 2; column++) {
        const int p = 2 * row + column;
        if (tile.output[p] == nullptr) continue;
        const float* residual = tile.residual[p] == nullptr ? nullptr : tile.residual[p] + c;
        const float* bias = finish.bias == nullptr ? nullptr : finish.bias + c;
        store<kWide>(tile.output[p] + c, finished(out[column], bias, residual, finish.relu));
      }
    }
  }
}

void stageRow(const float* input, const float* passed, int64_t channels, float* staged) {
  int64_t c = 0;
  for (; c + kWide <= channels; c += kWide) {
    Lanes value = load<kWide>(input + c);
    if (passed != nullptr) value = passedOn(value, load<kWide>(passed + c));
    store<kWide>(staged + c, value);
  }
  for (; c < channels; c++) staged[c] = passed != nullptr && passed[c] <= 0 ? 0 : input[c];
}

void finishRow(const float* product, const float* residual, int64_t channels, const Finish& finish, float* output) {
  int64_t c = 0;
  for (; c + kWide <= channels; c += kWide) {
    const float* added = residual == nullptr ? nullptr : residual + c;
    const float* bias = finish.bias == nullptr ? nullptr : finish.bias + c;
    store<kWide>(output + c, finished(load<kWide>(product + c), bias, added, finish.relu));
  }
  for (; c < channels; c++) {
    float value = product[c];
    if (finish.bias != nullptr) value += finish.bias[c];
    if (residual != nullptr) value += residual[c];
    output[c] = finish.relu && value < 0 ? 0 : value;
  }
}

const ProductKernels kernels = {2 * kWide, kTileRows, kWide, multiply, stageTile, finishTile, stageRow, finishRow};
