// The kernels, written once: kernels.cc includes this for each instruction set, in a namespace that has defined kWide (8 or 16 lanes),
// kTileRows, multiplyAdd and broadcast. Each value is a lane of its own, so that sets with a fused multiply-add give the same bits.
// No function of the standard library here: its code would be compiled for this instruction set and could be linked to where another is
// needed.

#include "vectors/vectors_body.h"

using Lanes = Floats<kWide>;

// A product of which one panel of columns is made.
struct PanelProduct {
  int64_t rows, inner, terms;
  const float* matrix;
  int64_t matrixRow;
  const float* packed;
  float* product;
  int64_t productRow;
  double prefetchBytes;  // of a panel's row, bytes that each row of the product prefetches
};

// kRows rows from `row` on and terms begin .. end, two vectors of columns, all sums in registers. Meanwhile it prefetches its part of
// the panel that follows, since weights mostly lie beyond the second cache.
template <int kRows>
inline void multiplyTile(const PanelProduct& p, int64_t row, int64_t begin, int64_t end) {
  const auto prefetchBytes = static_cast<int64_t>(p.prefetchBytes * kRows);
  const char* next = reinterpret_cast<const char*>(p.packed + 2 * kWide * p.inner);
  next += static_cast<int64_t>(p.prefetchBytes * static_cast<double>(row * p.inner)) + begin * prefetchBytes;
  const float* packed = p.packed + 2 * kWide * begin;
  const float* from[kRows];
  Lanes sums[kRows][2] = {};
#pragma GCC unroll 12
  for (int r = 0; r < kRows; r++) from[r] = p.matrix + (row + r) * p.matrixRow;
  for (int64_t k = begin; k < end; k++) {
    const Lanes a = load<kWide>(packed), b = load<kWide>(packed + kWide);
    packed += 2 * kWide;
    __builtin_prefetch(next, 0, 2);
    next += prefetchBytes;
#pragma GCC unroll 12
    for (int r = 0; r < kRows; r++) {
      const Lanes x = broadcast<kWide>(from[r] + k);
      sums[r][0] = multiplyAdd(x, a, sums[r][0]);
      sums[r][1] = multiplyAdd(x, b, sums[r][1]);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < kRows; r++) {
    float* to = p.product + (row + r) * p.productRow;
    store<kWide>(to, begin == 0 ? sums[r][0] : load<kWide>(to) + sums[r][0]);
    store<kWide>(to + kWide, begin == 0 ? sums[r][1] : load<kWide>(to + kWide) + sums[r][1]);
  }
}

template <int kRows>
inline void multiplyRows(const PanelProduct& p, int64_t row) {
  for (int64_t begin = 0; begin < p.inner; begin += p.terms) {
    const int64_t end = begin + p.terms;
    multiplyTile<kRows>(p, row, begin, end < p.inner ? end : p.inner);
  }
}

void multiply(int64_t rows, int64_t inner, int64_t columns, int64_t terms, const float* matrix, int64_t matrixRow,
              const float* packed, float* product, int64_t productRow) {
  const double prefetchBytes = 2.0 * kWide * sizeof(float) / static_cast<double>(rows);
  for (int64_t c = 0; c < columns; c += 2 * kWide) {
    const PanelProduct panel{rows, inner, terms, matrix, matrixRow, packed + c * inner, product + c, productRow, prefetchBytes};
    int64_t row = 0;
    for (; row + kTileRows <= rows; row += kTileRows) multiplyRows<kTileRows>(panel, row);
    for (; row + 4 <= rows; row += 4) multiplyRows<4>(panel, row);
    for (; row < rows; row++) multiplyRows<1>(panel, row);
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

#include "products/tiles_body.h"

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

const ProductKernels kernels = {2 * kWide,  kTileRows, kWide, multiply, {stageTile<2>, finishTile<2>}, {stageTile<4>, finishTile<4>},
                                stageRow, finishRow};
