// Runs one of native/cuda's kernels on the CPU. Input and output are binary:
//   uniform IMAGES ELEMENTS KEY...                          ids -> uniforms
//   quantize IMAGES CHANNELS PIXELS BF16 LAST RANGE LAMBDA SOURCE KEY...  ids, activations[, uniforms] -> activations
// RANGE is image, channel or batch; SOURCE counted, nearest or given; KEY four words, or five, the last of which is what is
// counted from a draw that the kernel reads with the seed through a pointer; ids are int64.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "cuda/kernels.h"

using namespace sqa::cuda;

namespace {

template <typename T>
std::vector<T> read(size_t count) {
  std::vector<T> values(count);
  if (std::fread(values.data(), sizeof(T), count, stdin) != count) std::exit(3);
  return values;
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  const auto word = [&](size_t i) { return static_cast<uint32_t>(std::stoul(words.at(i))); };
  static int64_t pointed[3];
  const auto key = [&](size_t i) -> Key {
    if (words.size() == i + 4) return {{word(i), word(i + 1), word(i + 2), word(i + 3)}, nullptr};
    pointed[0] = word(i);
    pointed[1] = word(i + 1);
    pointed[2] = word(i + 2);
    return {{0, 0, word(i + 4), word(i + 3)}, pointed};
  };
  const uint32_t images = word(1);
  const auto ids = read<int64_t>(images);
  if (words[0] == "uniform") {
    std::vector<float> out(static_cast<size_t>(images) * word(2));
    countedUniform(ids.data(), images, word(2), key(3), out.data(), nullptr);
    return std::fwrite(out.data(), sizeof(float), out.size(), stdout) == out.size() ? 0 : 3;
  }
  const uint32_t channels = word(2), pixels = word(3);
  const bool bfloat16 = word(4) == 1;
  const size_t elements = static_cast<size_t>(images) * channels * pixels, bytes = elements * (bfloat16 ? 2 : 4);
  const auto from = read<char>(bytes);
  std::vector<char> to(bytes);
  Segments segments{1, images, static_cast<int64_t>(channels) * pixels};
  if (words[6] == "channel") segments = {channels, static_cast<int64_t>(images) * channels, pixels};
  if (words[6] == "batch") segments = {0, 1, static_cast<int64_t>(elements)};
  Rounding rounding{static_cast<float>(word(7)), nullptr, words[8] == "counted" ? ids.data() : nullptr, key(9)};
  const auto uniforms = read<float>(words[8] == "given" ? elements : 0);
  if (words[8] == "given") rounding.uniforms = uniforms.data();
  std::vector<Extent> extents(segments.count), parts(segments.count * partsOf(segments));
  quantizeActivation({from.data(), to.data(), bfloat16, word(5) == 1, images, channels, pixels}, segments, rounding,
                     extents.data(), parts.data(), nullptr);
  return std::fwrite(to.data(), 1, bytes, stdout) == bytes ? 0 : 3;
}
