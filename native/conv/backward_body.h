// The backward pass of kernels_body.h.

template <int kLanes>
inline Ints<kLanes> loadCodes(const uint8_t* from) {
  const Bytes<kLanes> codes = *reinterpret_cast<const typename VectorTypes<kLanes>::UnalignedBytes*>(from);
  return __builtin_convertvector(codes, Ints<kLanes>);
}

template <int kLanes>
inline void addBiasOf(const BlockShape& shape, const float* pooledGradient, const uint8_t* codes,
                      float* bias) {
  const Floats<kLanes> zero = {};
  Floats<kLanes> sum = load<kLanes>(bias);
  for (int64_t at = 0; at < shape.windows() * shape.out; at += shape.out) {
    sum += loadCodes<kLanes>(codes + at) >= kActive ? load<kLanes>(pooledGradient + at) : zero;
  }
  store<kLanes>(bias, sum);
}

void addBias(const BlockShape& shape, const float* pooledGradient, const uint8_t* codes, float* bias) {
  int64_t c = 0;
  for (; c + kWide <= shape.out; c += kWide) addBiasOf<kWide>(shape, pooledGradient + c, codes + c, bias + c);
  if (kWide > 8 && c < shape.out) addBiasOf<8>(shape, pooledGradient + c, codes + c, bias + c);
}

// kWays sums for each vector, so that the latency of an addition is not waited for.
template <int kLanes, int kVectors, int kWays>
inline void addRunsTile(const ScaledRun* runs, int64_t count, const float* base, float* target) {
  Floats<kLanes> sums[kWays][kVectors];
#pragma GCC unroll 12
  for (int v = 0; v < kVectors; v++) {
    sums[0][v] = load<kLanes>(target + v * kLanes);
#pragma GCC unroll 4
    for (int w = 1; w < kWays; w++) sums[w][v] = Floats<kLanes>{};
  }
  int64_t i = 0;
  for (; i + kWays <= count; i += kWays) {
#pragma GCC unroll 4
    for (int w = 0; w < kWays; w++) {
      const Floats<kLanes> scale = broadcast<kLanes>(&runs[i + w].scale);
      const float* run = base + runs[i + w].offset;
#pragma GCC unroll 12
      for (int v = 0; v < kVectors; v++)
        sums[w][v] = multiplyAdd(scale, load<kLanes>(run + v * kLanes), sums[w][v]);
    }
  }
  for (; i < count; i++) {
    const Floats<kLanes> scale = broadcast<kLanes>(&runs[i].scale);
    const float* run = base + runs[i].offset;
#pragma GCC unroll 12
    for (int v = 0; v < kVectors; v++)
      sums[0][v] = multiplyAdd(scale, load<kLanes>(run + v * kLanes), sums[0][v]);
  }
#pragma GCC unroll 12
  for (int v = 0; v < kVectors; v++) {
#pragma GCC unroll 4
    for (int w = 1; w < kWays; w++) sums[0][v] += sums[w][v];
    store<kLanes>(target + v * kLanes, sums[0][v]);
  }
}

// The number of parts that a float is summed in depends on its place alone, not on the number of lanes.
void addRuns(const ScaledRun* runs, int64_t runCount, const float* base, float* target, int64_t count) {
  int64_t j = 0;
  for (; j + 96 <= count; j += 96) addRunsTile<kWide, 96 / kWide, 1>(runs, runCount, base + j, target + j);
  for (; j + 48 <= count; j += 48) addRunsTile<kWide, 48 / kWide, 2>(runs, runCount, base + j, target + j);
  for (; j + kWide <= count; j += kWide) addRunsTile<kWide, 1, 4>(runs, runCount, base + j, target + j);
  if (kWide > 8 && j < count) addRunsTile<8, 1, 4>(runs, runCount, base + j, target + j);
}

void runsOfWindow(const uint8_t* codes, const float* gradient, int64_t out, int32_t kernelSize,
                  ScaledRun* runs, int32_t* counts) {
  const Words<8> lanes = {0, 1, 2, 3, 4, 5, 6, 7}, steps = lanes * static_cast<uint32_t>(kernelSize);
  for (int k = 0; k < 4; k++) counts[k] = 0;
  for (int64_t c = 0; c < out; c += 8) {
    const Words<8> offsets = steps + static_cast<uint32_t>(c * kernelSize);
    const Words<8> scales = reinterpret_cast<Words<8>>(load<8>(gradient + c));
    const Ints<8> code = loadCodes<8>(codes + c);
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
      auto* to = reinterpret_cast<uint32_t*>(runs + k * out + counts[k]);
      counts[k] += appendPairs<8>(offsets, scales, code == Ints<8>{} + (k + kActive), to);
    }
  }
}

template <int kLanes>
inline void unpoolWindow(const int64_t corner[4], const float* pooledGradient, const uint8_t* codes,
                         float* to) {
  const Floats<kLanes> zero = {}, gradient = load<kLanes>(pooledGradient);
  const Ints<kLanes> code = loadCodes<kLanes>(codes);
#pragma GCC unroll 4
  for (int k = 0; k < 4; k++) {
    store<kLanes>(to + corner[k], code == Ints<kLanes>{} + (k + kActive) ? gradient : zero);
  }
}

void unpool(const BlockShape& shape, const float* pooledGradient, const uint8_t* codes,
            float* paddedGradient) {
  const int64_t row = shape.paddedGradientRow();
  const int64_t corner[4] = {0, shape.out, row, row + shape.out};
  for (int64_t wy = 0; wy < shape.pooledHeight(); wy++) {
    for (int64_t wx = 0; wx < shape.pooledWidth(); wx++) {
      float* first = paddedGradient + (2 * wy + 1) * row + (2 * wx + 1) * shape.out;
      int64_t c = 0;
      for (; c + kWide <= shape.out; c += kWide)
        unpoolWindow<kWide>(corner, pooledGradient + c, codes + c, first + c);
      if (kWide > 8 && c < shape.out) unpoolWindow<8>(corner, pooledGradient + c, codes + c, first + c);
      pooledGradient += shape.out;
      codes += shape.out;
    }
  }
}

// Sums over channels within a vector: always of 8 lanes, since more would sum in another order.
template <int kPixels>
inline void inputGradientTile(const BlockShape& shape, const float* window, const float* weights,
                              float* gradient) {
  Floats<8> sums[8] = {};
  const int64_t run = 3 * shape.out;
  for (int ky = 0; ky < 3; ky++) {
    for (int64_t j = 0; j < run; j += 8) {
      const Floats<8> w = load<8>(weights + ky * run + j);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; p++)
        sums[p] = multiplyAdd(w, load<8>(window + p * shape.out + j), sums[p]);
    }
    window += shape.paddedGradientRow();
  }
  const Floats<8> total = sumEach(sums);
  if (kPixels == 8) {
    store<8>(gradient, total);
  } else {
    for (int p = 0; p < kPixels; p++) gradient[p] = total[p];
  }
}

void inputGradientOfOne(const BlockShape& shape, const float* paddedGradient, const float* weights,
                        float* gradient) {
  for (int64_t y = 0; y < shape.height; y++) {
    const float* row = paddedGradient + y * shape.paddedGradientRow();
    int64_t x = 0;
    for (; x + 8 <= shape.width; x += 8)
      inputGradientTile<8>(shape, row + x * shape.out, weights, gradient + x);
    for (; x + 4 <= shape.width; x += 4)
      inputGradientTile<4>(shape, row + x * shape.out, weights, gradient + x);
    for (; x < shape.width; x++) inputGradientTile<1>(shape, row + x * shape.out, weights, gradient + x);
    gradient += shape.width;
  }
}

template <int kLanes>
inline void weightGradientOf(const BlockShape& shape, const float* padded, const float* paddedGradient,
                             float* gradient) {
  const int64_t width = shape.width + 2;
  Floats<kLanes> sums[9];
#pragma GCC unroll 9
  for (int tap = 0; tap < 9; tap++) sums[tap] = load<kLanes>(gradient + tap * shape.out);
  for (int64_t y = 0; y < shape.height; y++) {
    const float* g = paddedGradient + (y + 1) * shape.paddedGradientRow() + shape.out;
    const float* window = padded + y * width;
    for (int64_t x = 0; x < shape.width; x++) {
      const Floats<kLanes> value = load<kLanes>(g + x * shape.out);
#pragma GCC unroll 9
      for (int tap = 0; tap < 9; tap++) {
        sums[tap] =
            multiplyAdd(value, broadcast<kLanes>(window + x + (tap / 3) * width + tap % 3), sums[tap]);
      }
    }
  }
#pragma GCC unroll 9
  for (int tap = 0; tap < 9; tap++) store<kLanes>(gradient + tap * shape.out, sums[tap]);
}

void weightGradientOfOne(const BlockShape& shape, const float* padded, const float* paddedGradient,
                         float* gradient) {
  int64_t c = 0;
  for (; c + kWide <= shape.out; c += kWide)
    weightGradientOf<kWide>(shape, padded, paddedGradient + c, gradient + c);
  if (kWide > 8 && c < shape.out) weightGradientOf<8>(shape, padded, paddedGradient + c, gradient + c);
}
