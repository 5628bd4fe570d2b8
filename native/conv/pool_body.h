// Pooling of kernels_body.h.

// Channels of one window, the first pixel of which lies at `at`; h is read only where it differs from y.
template <int kLanes, bool kQuantized>
inline void poolWindow(const int64_t corner[4], int64_t at, const float* h, const float* y, float* pooled,
                       uint8_t* codes) {
  const Floats<kLanes> zero = {};
  Floats<kLanes> best = load<kLanes>(y + at), before = kQuantized ? load<kLanes>(h + at) : best;
  Ints<kLanes> code = {};
#pragma GCC unroll 4
  for (int k = 1; k < 4; k++) {
    const Floats<kLanes> value = load<kLanes>(y + at + corner[k]);
    const Ints<kLanes> larger = (value > best) | (value != value);
    best = larger ? value : best;
    if (kQuantized) before = larger ? load<kLanes>(h + at + corner[k]) : before;
    code = larger ? Ints<kLanes>{} + k : code;
  }
  code = (kQuantized ? before : best) <= zero ? code : code + kActive;
  store<kLanes>(pooled, best);
  *reinterpret_cast<typename VectorTypes<kLanes>::UnalignedBytes*>(codes) =
      __builtin_convertvector(code, Bytes<kLanes>);
}

template <bool kQuantized>
void poolImage(const BlockShape& shape, const float* h, const float* y, float* pooled, uint8_t* codes) {
  const int64_t row = shape.width * shape.out;
  const int64_t corner[4] = {0, shape.out, row, row + shape.out};
  for (int64_t wy = 0; wy < shape.pooledHeight(); wy++) {
    for (int64_t wx = 0; wx < shape.pooledWidth(); wx++) {
      const int64_t first = 2 * wy * row + 2 * wx * shape.out;
      int64_t c = 0;
      for (; c + kWide <= shape.out; c += kWide) {
        poolWindow<kWide, kQuantized>(corner, first + c, h, y, pooled, codes);
        pooled += kWide;
        codes += kWide;
      }
      if (kWide > 8 && c < shape.out) {
        poolWindow<8, kQuantized>(corner, first + c, h, y, pooled, codes);
        pooled += 8;
        codes += 8;
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
