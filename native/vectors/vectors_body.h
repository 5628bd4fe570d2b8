// Memory and parts of vectors; included for each instruction set within a namespace, before its kernels.

template <int kLanes>
inline Floats<kLanes> load(const float* from) {
  return *reinterpret_cast<const typename VectorTypes<kLanes>::UnalignedFloats*>(from);
}

template <int kLanes>
inline void store(float* to, Floats<kLanes> value) {
  *reinterpret_cast<typename VectorTypes<kLanes>::UnalignedFloats*>(to) = value;
}

template <int kLanes>
inline Words<kLanes> loadWords(const uint32_t* from) {
  return *reinterpret_cast<const typename VectorTypes<kLanes>::UnalignedWords*>(from);
}

template <int kLanes>
inline void storeWords(uint32_t* to, Words<kLanes> value) {
  *reinterpret_cast<typename VectorTypes<kLanes>::UnalignedWords*>(to) = value;
}

// 16 lanes are two parts of 8.
template <class Part>
inline auto joined(const Part (&parts)[1]) {
  return parts[0];
}
template <class Part>
inline auto joined(const Part (&parts)[2]) {
  return __builtin_shufflevector(parts[0], parts[1], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

inline Floats<8> part(Floats<8> whole, int) { return whole; }
inline Floats<8> part(Floats<16> whole, int index) {
  return index == 0 ? __builtin_shufflevector(whole, whole, 0, 1, 2, 3, 4, 5, 6, 7)
                    : __builtin_shufflevector(whole, whole, 8, 9, 10, 11, 12, 13, 14, 15);
}
