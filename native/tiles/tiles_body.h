// Tiles to their points and back, for one instruction set; part of kernels_body.h.

// Rows of B' of F(2, 3): [d0 - d2, d1 + d2, d2 - d1, d1 - d3].
inline void toPoints(const Lanes (&d)[4], Lanes (&points)[4]) {
  points[0] = d[0] - d[2];
  points[1] = d[1] + d[2];
  points[2] = d[2] - d[1];
  points[3] = d[1] - d[3];
}

// Rows of A' of F(2, 3): [m0 + m1 + m2, m1 - m2 - m3].
inline void fromPoints(const Lanes (&m)[4], Lanes (&outputs)[2]) {
  outputs[0] = m[0] + m[1] + m[2];
  outputs[1] = m[1] - m[2] - m[3];
}

inline Lanes each(float value) { return Lanes{} + value; }

// Rows of B' of F(4, 3) hold the coefficients of x (x^2 - n^2) (x^2 - f^2) without the factor that is zero at
// their point; with opposite points the even powers are the same and the odd ones change signs.
inline void toPoints(const Lanes (&d)[6], Lanes (&points)[6]) {
  constexpr float n2 = kNear * kNear, f2 = kFar * kFar;
  const Lanes evenNear = multiplyAdd(each(-f2), d[2], d[4]), oddNear = multiplyAdd(each(-f2), d[1], d[3]);
  const Lanes evenFar = multiplyAdd(each(-n2), d[2], d[4]), oddFar = multiplyAdd(each(-n2), d[1], d[3]);
  points[0] = multiplyAdd(each(n2 * f2), d[0], multiplyAdd(each(-n2 - f2), d[2], d[4]));
  points[1] = multiplyAdd(each(kNear), oddNear, evenNear);
  points[2] = multiplyAdd(each(-kNear), oddNear, evenNear);
  points[3] = multiplyAdd(each(kFar), oddFar, evenFar);
  points[4] = multiplyAdd(each(-kFar), oddFar, evenFar);
  points[5] = multiplyAdd(each(n2 * f2), d[1], multiplyAdd(each(-n2 - f2), d[3], d[5]));
}

// Rows of A' of F(4, 3) hold the powers of the points.
inline void fromPoints(const Lanes (&m)[6], Lanes (&outputs)[4]) {
  constexpr float n2 = kNear * kNear, f2 = kFar * kFar;
  const Lanes evenNear = m[1] + m[2], oddNear = m[1] - m[2], evenFar = m[3] + m[4], oddFar = m[3] - m[4];
  outputs[0] = m[0] + (evenNear + evenFar);
  outputs[1] = multiplyAdd(each(kFar), oddFar, each(kNear) * oddNear);
  outputs[2] = multiplyAdd(each(f2), evenFar, each(n2) * evenNear);
  outputs[3] = multiplyAdd(each(f2 * kFar), oddFar, multiplyAdd(each(n2 * kNear), oddNear, m[5]));
}

template <int kSide, bool kMasked>
inline void stageTileOf(const TileInput<kSide>& tile, int64_t channels, float* staged, int64_t matrix) {
  constexpr int kReach = Tile<kSide>::kReach;
  for (int64_t c = 0; c < channels; c += kWide) {
    Lanes half[kReach][kReach], line[kReach], points[kReach];
#pragma GCC unroll 6
    for (int column = 0; column < kReach; column++) {
#pragma GCC unroll 6
      for (int row = 0; row < kReach; row++) {
        const int i = row * kReach + column;
        line[row] = load<kWide>(tile.input[i] + c);
        if (kMasked) line[row] = passedOn(line[row], load<kWide>(tile.passed[i] + c));
      }
      toPoints(line, points);
#pragma GCC unroll 6
      for (int row = 0; row < kReach; row++) half[row][column] = points[row];
    }
#pragma GCC unroll 6
    for (int row = 0; row < kReach; row++) {
      toPoints(half[row], points);
#pragma GCC unroll 6
      for (int column = 0; column < kReach; column++) {
        store<kWide>(staged + (row * kReach + column) * matrix + c, points[column]);
      }
    }
  }
}

template <int kSide>
void stageTile(const TileInput<kSide>& tile, int64_t channels, float* staged, int64_t matrix) {
  if (tile.passed[0] != nullptr) {
    stageTileOf<kSide, true>(tile, channels, staged, matrix);
  } else {
    stageTileOf<kSide, false>(tile, channels, staged, matrix);
  }
}

template <int kSide>
void finishTile(const TileOutput<kSide>& tile, int64_t channels, const float* products, int64_t matrix,
                const Finish& finish) {
  constexpr int kReach = Tile<kSide>::kReach;
  for (int64_t c = 0; c < channels; c += kWide) {
    Lanes half[kSide][kReach], line[kReach], outputs[kSide];
#pragma GCC unroll 6
    for (int column = 0; column < kReach; column++) {
#pragma GCC unroll 6
      for (int row = 0; row < kReach; row++)
        line[row] = load<kWide>(products + (row * kReach + column) * matrix + c);
      fromPoints(line, outputs);
#pragma GCC unroll 4
      for (int row = 0; row < kSide; row++) half[row][column] = outputs[row];
    }
    const float* bias = finish.bias == nullptr ? nullptr : finish.bias + c;
#pragma GCC unroll 4
    for (int row = 0; row < kSide; row++) {
      fromPoints(half[row], outputs);
#pragma GCC unroll 4
      for (int column = 0; column < kSide; column++) {
        const int p = row * kSide + column;
        if (tile.output[p] == nullptr) continue;
        const float* residual = tile.residual[p] == nullptr ? nullptr : tile.residual[p] + c;
        store<kWide>(tile.output[p] + c, finished(outputs[column], bias, residual, finish.relu));
      }
    }
  }
}
