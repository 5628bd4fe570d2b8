// SQA's kernels, written once: vector_kernels.cc includes this for each instruction set, in a namespace that
// has defined kWide (8 or 16 lanes), the primitives for 8 and kWide lanes, and Philox. The bits are those of
// the scalar functions. No function of the standard library here: its code would be compiled for this
// instruction set and could be linked to elsewhere.

#include "vectors/vectors_body.h"

#include "quantize/philox_body.h"

#include "quantize/counted_noise_body.h"

// As much of an extent as whole groups of four vectors give; returns how many elements were seen.
int64_t extentOfGroups(const float* h, int64_t count, Extent& extent) {
  constexpr int kVectors = 4;  // enough results at a time for the latency of one not to be waited for
  const Floats<kWide> zero = {};
  Floats<kWide> minimum[kVectors], maximum[kVectors], product[kVectors];
  for (int i = 0; i < kVectors; i++) {
    minimum[i] = zero + extent.minimum;
    maximum[i] = zero + extent.maximum;
    product[i] = zero;
  }
  int64_t base = 0;
  for (; base + kWide * kVectors <= count; base += kWide * kVectors) {
    for (int i = 0; i < kVectors; i++) {
      const Floats<kWide> value = load<kWide>(h + base + kWide * i);
      minimum[i] = smaller(value, minimum[i]);
      maximum[i] = larger(value, maximum[i]);
      product[i] = multiplyAdd(value, zero, product[i]);
    }
  }
  for (int i = 1; i < kVectors; i++) {
    minimum[0] = smaller(minimum[0], minimum[i]);
    maximum[0] = larger(maximum[0], maximum[i]);
    product[0] += product[i];
  }
  for (int lane = 0; lane < kWide; lane++) {
    extent.merge({minimum[0][lane], maximum[0][lane], product[0][lane] == 0.0f});
  }
  return base;
}

// Levels for vectors. A table holds the values of up to eight, and saves a division an element.
template <int kLanes>
struct LevelVectors {
  Floats<kLanes> table, lowest, next;
  float minimum, width, lambda;

  __attribute__((always_inline)) explicit LevelVectors(const Levels& levels)
      : minimum(levels.minimum), width(levels.width), lambda(levels.lambda) {
    for (int lane = 0; lane < kLanes; lane++) {
      table[lane] = levels.value(static_cast<float>(lane % 8));
      lowest[lane] = levels.value(0.0f);
      next[lane] = levels.value(1.0f);
    }
  }
};

// `quantized` of each lane.
template <int kLanes, Values kValues>
__attribute__((always_inline)) inline Floats<kLanes> quantizedLanes(Floats<kLanes> h, Floats<kLanes> uniforms,
                                                                    const LevelVectors<kLanes>& levels) {
  const Floats<kLanes> scaled = (h - levels.minimum) / levels.width;
  if constexpr (kValues == Values::two) return uniforms < scaled ? levels.next : levels.lowest;
  const Floats<kLanes> g = scaled * levels.lambda, floor = truncated(g), one = Floats<kLanes>{} + 1.0f;
  const Floats<kLanes> raised = floor + (uniforms < g - floor ? one : Floats<kLanes>{});
  const Floats<kLanes> level = smaller(raised, Floats<kLanes>{} + levels.lambda);
  if constexpr (kValues == Values::table) {
    return lookUp(levels.table, __builtin_convertvector(level, Ints<kLanes>));
  } else {
    return level / levels.lambda * levels.width + levels.minimum;
  }
}

// Counter blocks lie on four neighboring pixels each. kSets vectors of them, each of kLanes / 8 sets of eight
// channels.
template <int kLanes, Values kValues, int kSets>
__attribute__((always_inline)) inline void quantizeSets(const Band& band, const RoundKeys& keys, int64_t set,
                                                        const LevelVectors<kLanes>& levels) {
  constexpr int kParts = kLanes / 8;
  const int64_t step = band.pixels / 4, perGroup = band.channels / 16;
  const Words<8> lanes = {0, 1, 2, 3, 4, 5, 6, 7}, steps = lanes * static_cast<uint32_t>(step);
  int64_t group = set / perGroup, channel = set % perGroup * 8, places[kSets][kParts];
  Words<kLanes> counters[kSets], words[kSets][4];
  for (int s = 0; s < kSets; s++) {
    Words<8> counterParts[kParts];
    for (int p = 0; p < kParts; p++) {
      counterParts[p] = steps + static_cast<uint32_t>(channel * step + band.first / 4 + group);
      places[s][p] = group * 4 * band.channels + channel;
      channel += 8;
      if (channel == band.channels / 2) {
        channel = 0;
        group++;
      }
    }
    counters[s] = joined(counterParts);
  }
  philoxBlocks<kLanes, kSets>(band.key, keys, band.image, counters, words);
  for (int s = 0; s < kSets; s++) {
    for (int w = 0; w < 4; w++) {
      for (int half = 0; half < 2; half++) {
        const int64_t offset = w * band.channels + half * (band.channels / 2);
        Floats<8> parts[kParts];
        for (int p = 0; p < kParts; p++) parts[p] = load<8>(band.h + places[s][p] + offset);
        const Floats<kLanes> uniforms =
            half == 0 ? lowUniforms<kLanes>(words[s][w]) : highUniforms<kLanes>(words[s][w]);
        const Floats<kLanes> y = quantizedLanes<kLanes, kValues>(joined(parts), uniforms, levels);
        for (int p = 0; p < kParts; p++) store<8>(band.y + places[s][p] + offset, part(y, p));
      }
    }
  }
}

template <Values kValues>
void quantizeBand(const Band& band, const Levels& levels) {
  // As many sets at once as registers hold.
  constexpr int kParts = kWide / 8, kAtOnce = kWide == 16 ? 3 : 2;
  const LevelVectors<kWide> wide(levels);
  const RoundKeys keys(band.key);
  int64_t set = 0;
  for (; set + kAtOnce * kParts <= band.sets(); set += kAtOnce * kParts) {
    quantizeSets<kWide, kValues, kAtOnce>(band, keys, set, wide);
  }
  if (kWide > 8) {
    for (; set + kParts <= band.sets(); set += kParts) quantizeSets<kWide, kValues, 1>(band, keys, set, wide);
  }
  if (set == band.sets()) return;
  quantizeSets<8, kValues, 1>(band, keys, set, LevelVectors<8>(levels));
}

// By given uniforms, which may be any number: for two levels a table too, since to choose one takes that they
// are below 1.
template <Values kValues>
int64_t quantizeVectors(const float* h, const float* uniforms, float* y, int64_t count,
                        const Levels& levels) {
  const LevelVectors<kWide> vectors(levels);
  int64_t i = 0;
  for (; i + kWide <= count; i += kWide) {
    const Floats<kWide> u =
        uniforms == nullptr ? Floats<kWide>{} + kUniformToNearest : load<kWide>(uniforms + i);
    store<kWide>(y + i, quantizedLanes<kWide, kValues>(load<kWide>(h + i), u, vectors));
  }
  return i;
}

template <int kLanes, Values kValues>
__attribute__((always_inline)) inline void quantizeByWords(const float* h, const uint32_t* words, float* y,
                                                           int64_t half, const LevelVectors<kLanes>& levels) {
  const Words<kLanes> drawn = loadWords<kLanes>(words);
  store<kLanes>(y, quantizedLanes<kLanes, kValues>(load<kLanes>(h), lowUniforms<kLanes>(drawn), levels));
  store<kLanes>(y + half,
                quantizedLanes<kLanes, kValues>(load<kLanes>(h + half), highUniforms<kLanes>(drawn), levels));
}

// Pixels of 2 half channels, half a multiple of 8, each by its row of `half` words.
template <Values kValues>
void quantizePixels(const float* h, const uint32_t* words, float* y, int64_t pixels, int64_t half,
                    const Levels& levels) {
  const LevelVectors<kWide> wide(levels);
  const LevelVectors<8> narrow(levels);
  for (int64_t p = 0; p < pixels; p++) {
    int64_t c = 0;
    for (; c + kWide <= half; c += kWide)
      quantizeByWords<kWide, kValues>(h + c, words + c, y + c, half, wide);
    if (kWide > 8 && c < half) quantizeByWords<8, kValues>(h + c, words + c, y + c, half, narrow);
    h += 2 * half;
    y += 2 * half;
    words += half;
  }
}

// Eight rows of eight words to eight columns.
inline void transposeEight(const uint32_t* from, int64_t fromRow, uint32_t* to, int64_t toRow) {
  Words<8> rows[8], pairs[8], fours[8];
  for (int i = 0; i < 8; i++) rows[i] = loadWords<8>(from + i * fromRow);
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    pairs[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < 8; i += 4) {
    for (int k = 0; k < 2; k++) {
      fours[i + 2 * k] = __builtin_shufflevector(pairs[i + k], pairs[i + k + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      fours[i + 2 * k + 1] =
          __builtin_shufflevector(pairs[i + k], pairs[i + k + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  for (int i = 0; i < 4; i++) {
    storeWords<8>(to + i * toRow, __builtin_shufflevector(fours[i], fours[i + 4], 0, 1, 2, 3, 8, 9, 10, 11));
    storeWords<8>(to + (i + 4) * toRow,
                  __builtin_shufflevector(fours[i], fours[i + 4], 4, 5, 6, 7, 12, 13, 14, 15));
  }
}

// words (rows, columns) to (columns, rows); rows are a multiple of 8.
void transposeWords(const uint32_t* words, int64_t rows, int64_t columns, uint32_t* transposed) {
  for (int64_t row = 0; row < rows; row += 8) {
    int64_t column = 0;
    for (; column + 8 <= columns; column += 8) {
      transposeEight(words + row * columns + column, columns, transposed + column * rows + row, rows);
    }
    for (; column < columns; column++) {
      for (int64_t i = row; i < row + 8; i++) transposed[column * rows + i] = words[i * columns + column];
    }
  }
}

const QuantizerKernels kernels = {
    drawUniforms,
    drawHalves,
    drawWords,
    extentOfGroups,
    {quantizeBand<Values::two>, quantizeBand<Values::table>, quantizeBand<Values::computed>},
    {quantizePixels<Values::two>, quantizePixels<Values::table>, quantizePixels<Values::computed>},
    {quantizeVectors<Values::table>, quantizeVectors<Values::table>, quantizeVectors<Values::computed>},
    transposeWords,
};
