#include "ranks/ranks.h"

#include <stdexcept>

namespace sqa {
namespace {

std::unique_ptr<Collectives> host, devices;

}  // namespace

RankOf joinRanks(std::unique_ptr<Collectives> joined) {
  if (host != nullptr) throw std::logic_error("this process has joined its ranks already");
  host = std::move(joined);
  return host->place();
}

void joinDevices(int64_t device) {
  if (host == nullptr) throw std::logic_error("this process has joined no ranks");
  devices = joinByNccl(*host, device);
}

Collectives& collectivesFor(const at::Tensor& tensor) {
  const auto& found = tensor.is_cpu() ? host : devices;
  if (found == nullptr)
    throw std::logic_error("this process has joined no ranks on " + tensor.device().str());
  return *found;
}

void sumOverRanks(const at::Tensor& numbers) {
  if (numbers.numel() > 0) collectivesFor(numbers).sum(numbers);
}

void copyFirstRank(const at::Tensor& values) {
  if (values.numel() > 0) collectivesFor(values).broadcast(values);
}

void leaveRanks(int code) {
  for (auto* joined : {&devices, &host}) {
    if (*joined == nullptr) continue;
    (*joined)->leave(code);
    joined->reset();
  }
}

}  // namespace sqa
