// The convolution of kernels_body.h and of bfloat16.cc, where what counts as a float is a pair of bfloat16.

// kPixels pixels times kVectors vectors of output channels, all sums in registers; kRun is 3 * in where
// known.
template <int kLanes, int kPixels, int kVectors, int kRun>
inline void convolveTile(const BlockShape& shape, const float* padded, const int32_t* offsets,
                         const float* weights, const float* bias, float* h) {
  Floats<kLanes> sums[kPixels][kVectors];
  const float* pixel[kPixels];
#pragma GCC unroll 12
  for (int p = 0; p < kPixels; p++) {
    pixel[p] = padded + offsets[p];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) sums[p][v] = load<kLanes>(bias + v * kLanes);
  }
  const int64_t run = kRun > 0 ? kRun : shape.run();
  for (int ky = 0; ky < 3; ky++) {
    for (int64_t j = 0; j < run; j++) {
      Floats<kLanes> w[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; v++) w[v] = load<kLanes>(weights + v * kLanes);
      weights += kVectors * kLanes;
#pragma GCC unroll 12
      for (int p = 0; p < kPixels; p++) {
        const Floats<kLanes> x = broadcast<kLanes>(pixel[p] + j);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; v++) sums[p][v] = multiplyAdd(x, w[v], sums[p][v]);
      }
    }
#pragma GCC unroll 12
    for (int p = 0; p < kPixels; p++) pixel[p] += shape.paddedRow();
  }
  const Floats<kLanes> zero = {};
#pragma GCC unroll 12
  for (int p = 0; p < kPixels; p++) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) {
      // NaN is not below zero and stays.
      store<kLanes>(h + p * shape.out + v * kLanes, sums[p][v] < zero ? zero : sums[p][v]);
    }
  }
}

template <int kLanes, int kVectors, int kRun>
void convolveChannels(const BlockShape& shape, const float* padded, const int32_t* offsets,
                      const float* weights, const float* bias, float* h) {
  const int64_t pixels = shape.pixels();
  int64_t p = 0;
  for (; p + kTilePixels <= pixels; p += kTilePixels) {
    convolveTile<kLanes, kTilePixels, kVectors, kRun>(shape, padded, offsets + p, weights, bias,
                                                      h + p * shape.out);
  }
  for (; p + 4 <= pixels; p += 4) {
    convolveTile<kLanes, 4, kVectors, kRun>(shape, padded, offsets + p, weights, bias, h + p * shape.out);
  }
  for (; p < pixels; p++) {
    convolveTile<kLanes, 1, kVectors, kRun>(shape, padded, offsets + p, weights, bias, h + p * shape.out);
  }
}

template <int kRun>
void convolveRun(const BlockShape& shape, const float* padded, const int32_t* offsets, const float* packed,
                 const float* bias, float* h) {
  const int64_t taps = 9 * shape.in;
  int64_t c = 0;
  for (; c + 2 * kWide <= shape.out; c += 2 * kWide) {
    convolveChannels<kWide, 2, kRun>(shape, padded, offsets, packed + c * taps, bias + c, h + c);
  }
  if (c + kWide <= shape.out) {
    convolveChannels<kWide, 1, kRun>(shape, padded, offsets, packed + c * taps, bias + c, h + c);
    c += kWide;
  }
  if (kWide > 8 && c < shape.out) {
    convolveChannels<8, 1, kRun>(shape, padded, offsets, packed + c * taps, bias + c, h + c);
  }
}

void convolve(const BlockShape& shape, const float* padded, const int32_t* offsets, const float* packed,
              const float* bias, float* h) {
  if (shape.in == 1) {
    convolveRun<3>(shape, padded, offsets, packed, bias, h);
  } else {
    convolveRun<0>(shape, padded, offsets, packed, bias, h);
  }
}
