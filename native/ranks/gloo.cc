// Ranks that torchrun started, or whatever sets the same variables, by Gloo, which is part of libtorch.
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
// Declares the class where libtorch has it.
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <stdexcept>

#include "ranks/collectives.h"

namespace sqa {
namespace {

using std::chrono::milliseconds;

// For all ranks to come; as torchrun's own.
constexpr milliseconds kUntilMet = std::chrono::minutes(5);
// Others wait while the first rank validates. A rank that ended is noticed at once.
constexpr milliseconds kUntilAnswered = std::chrono::hours(24 * 30);

class Gloo final : public Collectives {
 public:
  Gloo(const Meeting& meeting, RankOf place) : place_(place) {
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(meeting.port);
    options.isServer = meeting.serves;
    options.numWorkers = static_cast<size_t>(place.size);
    options.timeout = kUntilMet;
    store_ = c10::make_intrusive<c10d::TCPStore>(meeting.host, options);
    auto gloo = Group::Options::create(kUntilMet);
    gloo->devices.push_back(!meeting.interface.empty() ? Group::createDeviceForInterface(meeting.interface)
                            : !meeting.address.empty() ? Group::createDeviceForHostname(meeting.address)
                                                       : Group::createDefaultDevice());
    group_ = c10::make_intrusive<Group>(c10::make_intrusive<c10d::PrefixStore>(meeting.name, store_),
                                        place.rank, place.size, gloo);
  }

  RankOf place() const override { return place_; }

  void sum(const at::Tensor& numbers) override {
    c10d::AllreduceOptions options;
    options.timeout = kUntilAnswered;
    std::vector<at::Tensor> list{numbers};
    finish([&] { return group_->allreduce(list, options); });
  }

  void broadcast(const at::Tensor& bytes) override {
    c10d::BroadcastOptions options;
    options.timeout = kUntilAnswered;
    std::vector<at::Tensor> list{bytes};
    finish([&] { return group_->broadcast(list, options); });
  }

  // The last of them waits for none: the first one serves the meeting, and must not go before.
  void leave(int code) override {
    try {
      if (code == 0) sum(at::zeros({1}, at::kDouble));
    } catch (const std::exception&) {
      // Another rank failed, and tells of it.
    }
    group_.reset();
    store_.reset();
  }

 private:
  using Group = c10d::ProcessGroupGloo;

  template <typename Begin>
  void finish(const Begin& begin) {
    try {
      begin()->wait();
    } catch (const std::exception& error) {
      const std::string text = error.what();
      throw std::runtime_error("another rank has ended: " + text.substr(0, text.find('\n')));
    }
  }

  RankOf place_;
  c10::intrusive_ptr<c10d::TCPStore> store_;
  c10::intrusive_ptr<Group> group_;
};

}  // namespace

std::unique_ptr<Collectives> joinByGloo(const Meeting& meeting, RankOf place) {
  return std::make_unique<Gloo>(meeting, place);
}

}  // namespace sqa
