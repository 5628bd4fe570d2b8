// Kernels 3x3 to the points of tiles, and their gradients back, for one instruction set; part of
// kernels_body.h. In double precision, so that sums of products are all that rounds.

typedef double Exact __attribute__((vector_size(8 * kWide)));

inline Exact every(double value) { return Exact{} + value; }

// Rows of G of F(2, 3).
inline void kernelToPoints(const Exact (&g)[3], Exact (&points)[4]) {
  const Exact outer = every(0.5) * (g[0] + g[2]), inner = every(0.5) * g[1];
  points[0] = g[0];
  points[1] = outer + inner;
  points[2] = outer - inner;
  points[3] = g[2];
}

// Its transpose, for the gradient.
inline void pointsToKernel(const Exact (&p)[4], Exact (&g)[3]) {
  const Exact sum = every(0.5) * (p[1] + p[2]);
  g[0] = p[0] + sum;
  g[1] = every(0.5) * (p[1] - p[2]);
  g[2] = p[3] + sum;
}

// The product of the distances of a point of F(4, 3) other than 0 to the others, the same for x and -x.
constexpr double kNear2 = static_cast<double>(kNear) * kNear, kFar2 = static_cast<double>(kFar) * kFar;
constexpr double distances(double square) { return 2 * square * (2 * square - kNear2 - kFar2); }
constexpr double kAtZero = 1 / (kNear2 * kFar2), kAtNear = 1 / distances(kNear2),
                 kAtFar = 1 / distances(kFar2);

// Rows of G of F(4, 3): 1, x and x^2 over those distances; of infinity the last number alone.
inline void kernelToPoints(const Exact (&g)[3], Exact (&points)[6]) {
  const Exact evenNear = every(kAtNear) * (g[0] + every(kNear2) * g[2]),
              oddNear = every(kAtNear * kNear) * g[1];
  const Exact evenFar = every(kAtFar) * (g[0] + every(kFar2) * g[2]), oddFar = every(kAtFar * kFar) * g[1];
  points[0] = every(kAtZero) * g[0];
  points[1] = evenNear + oddNear;
  points[2] = evenNear - oddNear;
  points[3] = evenFar + oddFar;
  points[4] = evenFar - oddFar;
  points[5] = g[2];
}

inline void pointsToKernel(const Exact (&p)[6], Exact (&g)[3]) {
  const Exact evenNear = every(kAtNear) * (p[1] + p[2]), oddNear = every(kAtNear * kNear) * (p[1] - p[2]);
  const Exact evenFar = every(kAtFar) * (p[3] + p[4]), oddFar = every(kAtFar * kFar) * (p[3] - p[4]);
  g[0] = every(kAtZero) * p[0] + (evenNear + evenFar);
  g[1] = oddNear + oddFar;
  g[2] = p[5] + (every(kNear2) * evenNear + every(kFar2) * evenFar);
}

template <int kSide>
void packKernels(const float* kernels, int64_t step, int64_t count, bool isTurned, float* packed,
                 int64_t matrix) {
  constexpr int kReach = Tile<kSide>::kReach;
  Exact numbers[9] = {};
  for (int64_t lane = 0; lane < count; lane++) {
    for (int i = 0; i < 9; i++) numbers[i][lane] = kernels[lane * step + (isTurned ? 8 - i : i)];
  }
  Exact half[kReach][3], points[kReach];
  for (int column = 0; column < 3; column++) {
    const Exact line[3] = {numbers[column], numbers[3 + column], numbers[6 + column]};
    kernelToPoints(line, points);
    for (int row = 0; row < kReach; row++) half[row][column] = points[row];
  }
  for (int row = 0; row < kReach; row++) {
    kernelToPoints(half[row], points);
    for (int column = 0; column < kReach; column++) {
      store<kWide>(packed + (row * kReach + column) * matrix, __builtin_convertvector(points[column], Lanes));
    }
  }
}

template <int kSide>
void unpackKernels(const float* products, int64_t matrix, int64_t count, float* kernels, int64_t step) {
  constexpr int kReach = Tile<kSide>::kReach;
  Exact half[3][kReach], line[kReach], numbers[3];
  for (int column = 0; column < kReach; column++) {
    for (int row = 0; row < kReach; row++) {
      line[row] = __builtin_convertvector(load<kWide>(products + (row * kReach + column) * matrix), Exact);
    }
    pointsToKernel(line, numbers);
    for (int row = 0; row < 3; row++) half[row][column] = numbers[row];
  }
  for (int row = 0; row < 3; row++) {
    pointsToKernel(half[row], numbers);
    for (int column = 0; column < 3; column++) {
      const Lanes values = __builtin_convertvector(numbers[column], Lanes);
      for (int64_t lane = 0; lane < count; lane++) kernels[lane * step + 3 * row + column] = values[lane];
    }
  }
}

// Columns of A' of F(2, 3) and F(4, 3): an output's gradient at the points, the transpose of `fromPoints`.
inline void gradientToPoints(const Lanes (&y)[2], Lanes (&points)[4]) {
  points[0] = y[0];
  points[1] = y[0] + y[1];
  points[2] = y[0] - y[1];
  points[3] = -y[1];
}

inline void gradientToPoints(const Lanes (&y)[4], Lanes (&points)[6]) {
  constexpr float n2 = kNear * kNear, f2 = kFar * kFar;
  const Lanes evenNear = multiplyAdd(each(n2), y[2], y[0]), oddNear = multiplyAdd(each(n2), y[3], y[1]);
  const Lanes evenFar = multiplyAdd(each(f2), y[2], y[0]), oddFar = multiplyAdd(each(f2), y[3], y[1]);
  points[0] = y[0];
  points[1] = multiplyAdd(each(kNear), oddNear, evenNear);
  points[2] = multiplyAdd(each(-kNear), oddNear, evenNear);
  points[3] = multiplyAdd(each(kFar), oddFar, evenFar);
  points[4] = multiplyAdd(each(-kFar), oddFar, evenFar);
  points[5] = y[3];
}

template <int kSide>
void stageGradient(const TileGradient<kSide>& tile, int64_t channels, float* staged, int64_t matrix) {
  constexpr int kReach = Tile<kSide>::kReach;
  for (int64_t c = 0; c < channels; c += kWide) {
    Lanes half[kReach][kSide], line[kSide], points[kReach];
#pragma GCC unroll 4
    for (int column = 0; column < kSide; column++) {
#pragma GCC unroll 4
      for (int row = 0; row < kSide; row++) line[row] = load<kWide>(tile.gradient[row * kSide + column] + c);
      gradientToPoints(line, points);
#pragma GCC unroll 6
      for (int row = 0; row < kReach; row++) half[row][column] = points[row];
    }
#pragma GCC unroll 6
    for (int row = 0; row < kReach; row++) {
      gradientToPoints(half[row], points);
#pragma GCC unroll 6
      for (int column = 0; column < kReach; column++) {
        store<kWide>(staged + (row * kReach + column) * matrix + c, points[column]);
      }
    }
  }
}
