// Primitives that every instruction set has, written with vectors' own operations; one that has better
// specializes them.

// Appends the words of chosen lanes in pairs, (first, second); up to as many pairs as there are lanes may be
// written over after them. Returns how many pairs there were.
template <int kLanes>
inline int appendPairs(Words<kLanes> first, Words<kLanes> second, Ints<kLanes> chosen, uint32_t* to) {
  int count = 0;
  for (int lane = 0; lane < kLanes; lane++) {
    to[2 * count] = first[lane];
    to[2 * count + 1] = second[lane];
    count -= chosen[lane];
  }
  return count;
}

template <int kLanes>
inline Words<kLanes> exclusiveOr(Words<kLanes> a, Words<kLanes> b, Words<kLanes> c) {
  return a ^ b ^ c;
}
