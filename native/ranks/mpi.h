// The processes that train one model together, through Open MPI, which is looked for when it is asked for: the addon is
// linked to none, so that it loads where there is none.
#pragma once

#include <cstdint>
#include <string>

namespace sqa {

struct RankOf {
  int rank;
  int size;
};

// Opens the library of that name or path and joins the processes that a launcher started; throws where it is none of Open MPI's.
RankOf joinRanks(const std::string& library);

// Sums numbers over all ranks, in place: each rank is left with the same bits. Throws before `joinRanks`.
void sumOverRanks(float* numbers, int64_t count);
void sumOverRanks(double* numbers, int64_t count);

// Brings the first rank's bytes to all.
void bytesOfFirstRank(void* bytes, int64_t count);

// Leaves: with a code of 0 when all do, with another at once, and ends the other ranks too.
void leaveRanks(int code);

}  // namespace sqa
