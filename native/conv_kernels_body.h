// The kernels, written once: conv_kernels.cc includes this for each instruction set, in a namespace that has defined
// Float8, multiplyAdd, broadcast and sumEach. No function of the standard library here: its code would be compiled for this
// instruction set and could be linked to where another is needed.

using Int8 = int32_t __attribute__((vector_size(32)));
using Byte8 = uint8_t __attribute__((vector_size(8)));
using UnalignedFloat8 = float __attribute__((vector_size(32), aligned(4), may_alias));
using UnalignedByte8 = uint8_t __attribute__((vector_size(8), aligned(1), may_alias));

inline Float8 load(const float* from) { return *reinterpret_cast<const UnalignedFloat8*>(from); }
inline void store(float* to, Float8 value) { *reinterpret_cast<UnalignedFloat8*>(to) = value; }

inline Byte8 loadCodes(const uint8_t* from) { return *reinterpret_cast<const UnalignedByte8*>(from); }

// kPixels pixels times kVectors vectors of output channels, all sums in registers; kRun is 3 * in where known.
template <int kPixels, int kVectors, int kRun>
inline void convolveTile(const BlockShape& shape, const float* padded, const int32_t* offsets, const float* weights,
                         const float* bias, float* h) {
  Float8 sums[kPixels][kVectors];
  const float* pixel[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; p++) {
    pixel[p] = padded + offsets[p];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) sums[p][v] = load(bias + v * kLanes);
  }
  const int64_t run = kRun > 0 ? kRun : shape.run();
  for (int ky = 0; ky < 3; ky++) {
    for (int64_t j = 0; j < run; j++) {
      Float8 w[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; v++) w[v] = load(weights + v * kLanes);
      weights += kVectors * kLanes;
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; p++) {
        const Float8 x = broadcast(pixel[p] + j);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; v++) sums[p][v] = multiplyAdd(x, w[v], sums[p][v]);
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; p++) pixel[p] += shape.paddedRow();
  }
  const Float8 zero = {};
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; p++) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) {
      // NaN is not below zero and stays.
      store(h + p * shape.out + v * kLanes, sums[p][v] < zero ? zero : sums[p][v]);
    }
  }
}

template <int kVectors, int kRun>
void convolveChannels(const BlockShape& shape, const float* padded, const int32_t* offsets, const float* weights,
                      const float* bias, float* h) {
  const int64_t pixels = shape.pixels();
  int64_t p = 0;
  for (; p + 6 <= pixels; p += 6) {
    convolveTile<6, kVectors, kRun>(shape, padded, offsets + p, weights, bias, h + p * shape.out);
  }
  if (p + 4 <= pixels) {
    convolveTile<4, kVectors, kRun>(shape, padded, offsets + p, weights, bias, h + p * shape.out);
    p += 4;
  }
  for (; p < pixels; p++) {
    convolveTile<1, kVectors, kRun>(shape, padded, offsets + p, weights, bias, h + p * shape.out);
  }
}

template <int kRun>
void convolveRun(const BlockShape& shape, const float* padded, const int32_t* offsets, const float* packed,
                 const float* bias, float* h) {
  int64_t c = 0;
  for (; c + 16 <= shape.out; c += 16) {
    convolveChannels<2, kRun>(shape, padded, offsets, packed + c * 9 * shape.in, bias + c, h + c);
  }
  if (c < shape.out) convolveChannels<1, kRun>(shape, padded, offsets, packed + c * 9 * shape.in, bias + c, h + c);
}

void convolve(const BlockShape& shape, const float* padded, const int32_t* offsets, const float* packed,
              const float* bias, float* h) {
  if (shape.in == 1) {
    convolveRun<3>(shape, padded, offsets, packed, bias, h);
  } else {
    convolveRun<0>(shape, padded, offsets, packed, bias, h);
  }
}

// h is read only where it differs from y.
template <bool kQuantized>
void poolImage(const BlockShape& shape, const float* h, const float* y, float* pooled, uint8_t* codes) {
  const int64_t row = shape.width * shape.out;
  const int64_t corner[4] = {0, shape.out, row, row + shape.out};
  const Float8 zero = {};
  for (int64_t wy = 0; wy < shape.pooledHeight(); wy++) {
    for (int64_t wx = 0; wx < shape.pooledWidth(); wx++) {
      const int64_t first = 2 * wy * row + 2 * wx * shape.out;
      for (int64_t c = 0; c < shape.out; c += kLanes) {
        const int64_t at = first + c;
        Float8 best = load(y + at), before = kQuantized ? load(h + at) : best;
        Int8 code = {};
#pragma GCC unroll 4
        for (int k = 1; k < 4; k++) {
          const Float8 value = load(y + at + corner[k]);
          const Int8 larger = (value > best) | (value != value);
          best = larger ? value : best;
          if (kQuantized) before = larger ? load(h + at + corner[k]) : before;
          code = larger ? Int8{} + k : code;
        }
        code = (kQuantized ? before : best) <= zero ? code : code + kActive;
        store(pooled, best);
        *reinterpret_cast<UnalignedByte8*>(codes) = __builtin_convertvector(code, Byte8);
        pooled += kLanes;
        codes += kLanes;
      }
    }
  }
}

void pool(const BlockShape& shape, const float* h, const float* y, float* pooled, uint8_t* codes) {
  if (h == y) {
    poolImage<false>(shape, h, y, pooled, codes);
  } else {
    poolImage<true>(shape, h, y, pooled, codes);
  }
}

void addBias(const BlockShape& shape, const float* pooledGradient, const uint8_t* codes, float* bias) {
  const Float8 zero = {};
  for (int64_t c = 0; c < shape.out; c += kLanes) {
    Float8 sum = load(bias + c);
    for (int64_t at = c; at < shape.windows() * shape.out; at += shape.out) {
      const Int8 code = __builtin_convertvector(loadCodes(codes + at), Int8);
      sum += code >= kActive ? load(pooledGradient + at) : zero;
    }
    store(bias + c, sum);
  }
}

// kWays sums for each vector, so that the latency of an addition is not waited for.
template <int kVectors, int kWays>
inline void addRunsTile(const ScaledRun* runs, int64_t count, const float* base, float* target) {
  Float8 sums[kWays][kVectors];
#pragma GCC unroll 12
  for (int v = 0; v < kVectors; v++) {
    sums[0][v] = load(target + v * kLanes);
#pragma GCC unroll 4
    for (int w = 1; w < kWays; w++) sums[w][v] = Float8{};
  }
  int64_t i = 0;
  for (; i + kWays <= count; i += kWays) {
#pragma GCC unroll 4
    for (int w = 0; w < kWays; w++) {
      const Float8 scale = broadcast(&runs[i + w].scale);
      const float* run = base + runs[i + w].offset;
#pragma GCC unroll 12
      for (int v = 0; v < kVectors; v++) sums[w][v] = multiplyAdd(scale, load(run + v * kLanes), sums[w][v]);
    }
  }
  for (; i < count; i++) {
    const Float8 scale = broadcast(&runs[i].scale);
    const float* run = base + runs[i].offset;
#pragma GCC unroll 12
    for (int v = 0; v < kVectors; v++) sums[0][v] = multiplyAdd(scale, load(run + v * kLanes), sums[0][v]);
  }
#pragma GCC unroll 12
  for (int v = 0; v < kVectors; v++) {
#pragma GCC unroll 4
    for (int w = 1; w < kWays; w++) sums[0][v] += sums[w][v];
    store(target + v * kLanes, sums[0][v]);
  }
}

void addRuns(const ScaledRun* runs, int64_t runCount, const float* base, float* target, int64_t count) {
  int64_t j = 0;
  for (; j + 12 * kLanes <= count; j += 12 * kLanes) addRunsTile<12, 1>(runs, runCount, base + j, target + j);
  for (; j + 6 * kLanes <= count; j += 6 * kLanes) addRunsTile<6, 2>(runs, runCount, base + j, target + j);
  for (; j < count; j += kLanes) addRunsTile<1, 4>(runs, runCount, base + j, target + j);
}

void unpool(const BlockShape& shape, const float* pooledGradient, const uint8_t* codes, float* paddedGradient) {
  const int64_t row = shape.paddedGradientRow();
  const int64_t corner[4] = {0, shape.out, row, row + shape.out};
  const Float8 zero = {};
  for (int64_t wy = 0; wy < shape.pooledHeight(); wy++) {
    for (int64_t wx = 0; wx < shape.pooledWidth(); wx++) {
      float* first = paddedGradient + (2 * wy + 1) * row + (2 * wx + 1) * shape.out;
      for (int64_t c = 0; c < shape.out; c += kLanes) {
        const Float8 gradient = load(pooledGradient);
        const Int8 code = __builtin_convertvector(loadCodes(codes), Int8);
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
          store(first + c + corner[k], code == Int8{} + (k + kActive) ? gradient : zero);
        }
        pooledGradient += kLanes;
        codes += kLanes;
      }
    }
  }
}

template <int kPixels>
inline void inputGradientTile(const BlockShape& shape, const float* window, const float* weights, float* gradient) {
  Float8 sums[8] = {};
  const int64_t run = 3 * shape.out;
  for (int ky = 0; ky < 3; ky++) {
    for (int64_t j = 0; j < run; j += kLanes) {
      const Float8 w = load(weights + ky * run + j);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; p++) sums[p] = multiplyAdd(w, load(window + p * shape.out + j), sums[p]);
    }
    window += shape.paddedGradientRow();
  }
  const Float8 total = sumEach(sums);
  if (kPixels == 8) {
    store(gradient, total);
  } else {
    for (int p = 0; p < kPixels; p++) gradient[p] = total[p];
  }
}

void inputGradientOfOne(const BlockShape& shape, const float* paddedGradient, const float* weights, float* gradient) {
  for (int64_t y = 0; y < shape.height; y++) {
    const float* row = paddedGradient + y * shape.paddedGradientRow();
    int64_t x = 0;
    for (; x + 8 <= shape.width; x += 8) inputGradientTile<8>(shape, row + x * shape.out, weights, gradient + x);
    for (; x + 4 <= shape.width; x += 4) inputGradientTile<4>(shape, row + x * shape.out, weights, gradient + x);
    for (; x < shape.width; x++) inputGradientTile<1>(shape, row + x * shape.out, weights, gradient + x);
    gradient += shape.width;
  }
}

void weightGradientOfOne(const BlockShape& shape, const float* padded, const float* paddedGradient, float* gradient) {
  const int64_t width = shape.width + 2;
  for (int64_t c = 0; c < shape.out; c += kLanes) {
    Float8 sums[9];
#pragma GCC unroll 9
    for (int tap = 0; tap < 9; tap++) sums[tap] = load(gradient + tap * shape.out + c);
    for (int64_t y = 0; y < shape.height; y++) {
      const float* g = paddedGradient + (y + 1) * shape.paddedGradientRow() + shape.out + c;
      const float* window = padded + y * width;
      for (int64_t x = 0; x < shape.width; x++) {
        const Float8 value = load(g + x * shape.out);
#pragma GCC unroll 9
        for (int tap = 0; tap < 9; tap++) {
          sums[tap] = multiplyAdd(value, broadcast(window + x + (tap / 3) * width + tap % 3), sums[tap]);
        }
      }
    }
#pragma GCC unroll 9
    for (int tap = 0; tap < 9; tap++) store(gradient + tap * shape.out + c, sums[tap]);
  }
}

const ConvKernels kernels = {convolve, pool, addBias, addRuns, unpool, inputGradientOfOne, weightGradientOfOne};
