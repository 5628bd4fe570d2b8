// Drawing with vectors; included as vector_kernels_body.h is, after Philox. As many of the blocks as go in
// two vectors are drawn; each function returns how many.

// Stores the words of kWide blocks one block after another: transpositions of 8 x 4 to 4 x 8.
inline void storeBlocks(const Floats<kWide> words[4], float* out) {
  for (int p = 0; p < kWide / 8; p++) {
    const Floats<8> w0 = part(words[0], p), w1 = part(words[1], p), w2 = part(words[2], p),
                    w3 = part(words[3], p);
    const Floats<8> a = __builtin_shufflevector(w0, w1, 0, 8, 1, 9, 4, 12, 5, 13);
    const Floats<8> b = __builtin_shufflevector(w0, w1, 2, 10, 3, 11, 6, 14, 7, 15);
    const Floats<8> c = __builtin_shufflevector(w2, w3, 0, 8, 1, 9, 4, 12, 5, 13);
    const Floats<8> d = __builtin_shufflevector(w2, w3, 2, 10, 3, 11, 6, 14, 7, 15);
    const Floats<8> r0 = __builtin_shufflevector(a, c, 0, 1, 8, 9, 4, 5, 12, 13);
    const Floats<8> r1 = __builtin_shufflevector(a, c, 2, 3, 10, 11, 6, 7, 14, 15);
    const Floats<8> r2 = __builtin_shufflevector(b, d, 0, 1, 8, 9, 4, 5, 12, 13);
    const Floats<8> r3 = __builtin_shufflevector(b, d, 2, 3, 10, 11, 6, 7, 14, 15);
    store<8>(out + 32 * p, __builtin_shufflevector(r0, r1, 0, 1, 2, 3, 8, 9, 10, 11));
    store<8>(out + 32 * p + 8, __builtin_shufflevector(r2, r3, 0, 1, 2, 3, 8, 9, 10, 11));
    store<8>(out + 32 * p + 16, __builtin_shufflevector(r0, r1, 4, 5, 6, 7, 12, 13, 14, 15));
    store<8>(out + 32 * p + 24, __builtin_shufflevector(r2, r3, 4, 5, 6, 7, 12, 13, 14, 15));
  }
}

// Calls store(words, first float of theirs) for each vector of blocks.
template <class Store>
__attribute__((always_inline)) inline int64_t drawBlocks(const NoiseKey& key, uint32_t image, int64_t blocks,
                                                         Store store) {
  Words<kWide> lanes;
  for (uint32_t lane = 0; lane < kWide; lane++) lanes[lane] = lane;
  const RoundKeys keys(key);
  int64_t done = 0;
  for (; done + 2 * kWide <= blocks; done += 2 * kWide) {
    const Words<kWide> first = lanes + static_cast<uint32_t>(done);
    const Words<kWide> counters[2] = {first, first + static_cast<uint32_t>(kWide)};
    Words<kWide> words[2][4];
    philoxBlocks<kWide, 2>(key, keys, image, counters, words);
    for (int s = 0; s < 2; s++) store(words[s], (done + kWide * s) * 4);
  }
  return done;
}

int64_t drawUniforms(const NoiseKey& key, uint32_t image, int64_t blocks, float* out) {
  return drawBlocks(key, image, blocks, [=](const Words<kWide>* words, int64_t at) {
    Floats<kWide> drawn[4];
    for (int w = 0; w < 4; w++) drawn[w] = wordUniforms<kWide>(words[w]);
    storeBlocks(drawn, out + at);
  });
}

int64_t drawHalves(const NoiseKey& key, uint32_t image, int64_t blocks, float* low, float* high) {
  return drawBlocks(key, image, blocks, [=](const Words<kWide>* words, int64_t at) {
    Floats<kWide> drawn[4];
    for (int w = 0; w < 4; w++) drawn[w] = lowUniforms<kWide>(words[w]);
    storeBlocks(drawn, low + at);
    for (int w = 0; w < 4; w++) drawn[w] = highUniforms<kWide>(words[w]);
    storeBlocks(drawn, high + at);
  });
}

int64_t drawWords(const NoiseKey& key, uint32_t image, int64_t blocks, uint32_t* out) {
  return drawBlocks(key, image, blocks, [=](const Words<kWide>* words, int64_t at) {
    Floats<kWide> drawn[4];
    for (int w = 0; w < 4; w++) drawn[w] = reinterpret_cast<Floats<kWide>>(words[w]);
    storeBlocks(drawn, reinterpret_cast<float*>(out + at));
  });
}
