// The processes that train one model together, of which this is one.
#pragma once

#include "ranks/collectives.h"

namespace sqa {

// Says by which library the ranks are joined, once in a process; returns this one's place.
RankOf joinRanks(std::unique_ptr<Collectives> joined);

// Joins the devices of the ranks, one each: tensors that lie there are then summed there.
void joinDevices(int64_t device);

// The library for tensors that lie where this one does; throws before `joinRanks`.
Collectives& collectivesFor(const at::Tensor& tensor);

// Sums numbers over all ranks, in place.
void sumOverRanks(const at::Tensor& numbers);

// Brings the first rank's numbers to all, in place.
void copyFirstRank(const at::Tensor& values);

void leaveRanks(int code);

}  // namespace sqa
