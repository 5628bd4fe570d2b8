// The kernels, written once: kernels.cc includes this for each instruction set, in a namespace that has
// defined kWide (8 or 16 lanes), kTileRows, multiplyAdd and broadcast. Each value is a lane of its own, so
// that sets with a fused multiply-add give the same bits. No function of the standard library here: its code
// would be compiled for this instruction set and could be linked to where another is needed.

#include "vectors/vectors_body.h"

using Lanes = Floats<kWide>;

// kRows rows from `row` on, and kVectors vectors of columns from `column` on, of terms begin .. end; all sums
// in registers. Meanwhile it prefetches its part of the panel that follows, since weights mostly lie beyond
// the second cache.
template <int kRows, int kVectors>
inline void multiplyTile(const Product& p, int64_t row, int64_t column, int64_t begin, int64_t end) {
  const float* right = p.right + column / (2 * kWide) * p.rightPanel;
  const char* next = reinterpret_cast<const char*>(right + p.rightPanel);
  // Bytes of a term that each row prefetches, in whole terms of the panel.
  const double share = 2.0 * kWide * sizeof(float) / static_cast<double>(p.rows);
  const auto prefetchBytes = static_cast<int64_t>(share * kRows);
  next += static_cast<int64_t>(share * static_cast<double>(row * p.inner)) + begin * prefetchBytes;
  right += begin * p.rightTerm;
  int64_t term = begin * p.leftTerm;
  const float* from[kRows];
  Lanes sums[kRows][kVectors] = {};
#pragma GCC unroll 24
  for (int r = 0; r < kRows; r++) from[r] = p.left + (row + r) * p.leftRow;
  for (int64_t k = begin; k < end; k++) {
    Lanes columns[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) columns[v] = load<kWide>(right + v * kWide);
    right += p.rightTerm;
    __builtin_prefetch(next, 0, 2);
    next += prefetchBytes;
#pragma GCC unroll 24
    for (int r = 0; r < kRows; r++) {
      const Lanes x = broadcast<kWide>(from[r] + term);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; v++) sums[r][v] = multiplyAdd(x, columns[v], sums[r][v]);
    }
    term += p.leftTerm;
  }
  const bool isAdded = p.isAdded || begin > 0;
#pragma GCC unroll 24
  for (int r = 0; r < kRows; r++) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) {
      float* to = p.product + (row + r) * p.productRow + column + v * kWide;
      store<kWide>(to, isAdded ? load<kWide>(to) + sums[r][v] : sums[r][v]);
    }
  }
}

template <int kRows, int kVectors>
inline void multiplyRows(const Product& p, int64_t row, int64_t column) {
  for (int64_t begin = 0; begin < p.inner; begin += p.terms) {
    const int64_t end = begin + p.terms;
    multiplyTile<kRows, kVectors>(p, row, column, begin, end < p.inner ? end : p.inner);
  }
}

// One panel of columns, or half of one with twice as many rows at a time.
template <int kVectors>
inline void multiplyPanel(const Product& p, int64_t column) {
  constexpr int kRows = kTileRows * 2 / kVectors;
  int64_t row = 0;
  for (; row + kRows <= p.rows; row += kRows) multiplyRows<kRows, kVectors>(p, row, column);
  if (kVectors == 1 && row + kTileRows <= p.rows) {
    multiplyRows<kTileRows, kVectors>(p, row, column);
    row += kTileRows;
  }
  for (; row + 4 <= p.rows; row += 4) multiplyRows<4, kVectors>(p, row, column);
  for (; row < p.rows; row++) multiplyRows<1, kVectors>(p, row, column);
}

void multiply(const Product& p) {
  for (int64_t c = 0; c < p.columns; c += 2 * kWide) {
    if (c + kWide < p.columns) {
      multiplyPanel<2>(p, c);
    } else {
      multiplyPanel<1>(p, c);
    }
  }
}

// As libtorch has it: an output that is NaN passes gradients.
inline Lanes passedOn(Lanes value, Lanes output) {
  const Lanes zero = {};
  return output <= zero ? zero : value;
}

inline Lanes finished(Lanes value, const float* bias, const float* residual, bool relu) {
  if (bias != nullptr) value += load<kWide>(bias);
  if (residual != nullptr) value += load<kWide>(residual);
  const Lanes zero = {};
  // NaN is not below zero and stays.
  return relu ? (value < zero ? zero : value) : value;
}

#include "tiles/tiles_body.h"
#include "tiles/kernel_points_body.h"

void stageRow(const float* input, const float* passed, int64_t channels, float* staged) {
  int64_t c = 0;
  for (; c + kWide <= channels; c += kWide) {
    Lanes value = load<kWide>(input + c);
    if (passed != nullptr) value = passedOn(value, load<kWide>(passed + c));
    store<kWide>(staged + c, value);
  }
  for (; c < channels; c++) staged[c] = passed != nullptr && passed[c] <= 0 ? 0 : input[c];
}

void finishRow(const float* product, const float* residual, int64_t channels, const Finish& finish,
               float* output) {
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

template <int kSide>
constexpr TileKernels<kSide> tileKernels = {stageTile<kSide>, finishTile<kSide>, packKernels<kSide>,
                                            stageGradient<kSide>, unpackKernels<kSide>};

const ProductKernels kernels = {2 * kWide, kTileRows, kWide, multiply, tileKernels<2>, tileKernels<4>,
                                stageRow, finishRow};
