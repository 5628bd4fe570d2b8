// The kernels' own threads. OpenMP's, which libtorch's operators run on, each get a fixed share of an
// operator and wait for each other: on a busy machine, where one of them does not get a processor at once,
// two were slower than one.
#pragma once

#include <cstdint>
#include <functional>

namespace sqa {

// Images in a piece of work: few enough for threads to end together, and enough to be worth taking.
constexpr int64_t kImagesTaken = 4;

// Calls run(begin, end) for pieces of at most `piece` indices that together are 0 .. count, on as many
// threads as libtorch is told to use. Whoever is free takes the next piece, and nobody waits for a thread
// that has not begun; so what is written must not depend on who does it. Rethrows the first exception. Within
// `run`, and while another thread's call is under way, the calling thread does it alone.
void parallelFor(int64_t count, int64_t piece, const std::function<void(int64_t begin, int64_t end)>& run);

}  // namespace sqa
