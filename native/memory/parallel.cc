#include "memory/parallel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

namespace sqa {
namespace {

// Helpers sleep until there is a job. Its state is one word: how many helpers are inside it, whether it is
// open to more, and its number; the word changes with every job, so that a helper sees by it whether there is
// something new.
class Pool {
 public:
  // False, and nothing done, while another thread's job is under way.
  bool run(int helpers, int64_t count, int64_t piece, const std::function<void(int64_t, int64_t)>& job) {
    if (busy_.exchange(true, std::memory_order_acquire)) return false;
    const std::unique_ptr<std::atomic<bool>, Opener> opener(&busy_);
    start(helpers);
    // Between jobs nobody is inside, so all this is ours.
    run_ = &job;
    count_ = count;
    piece_ = piece;
    helpers_ = helpers;
    failure_ = nullptr;
    next_.store(0, std::memory_order_relaxed);
    state_.store((state_.load(std::memory_order_relaxed) / kNumber + 1) * kNumber | kOpen);
    state_.notify_all();
    work();
    state_.fetch_and(~kOpen);
    for (uint32_t state; (state = state_.load(std::memory_order_acquire)) % kOpen != 0;) state_.wait(state);
    if (failure_) std::rethrow_exception(failure_);
    return true;
  }

  // Helpers that the state has room for.
  static constexpr int64_t kMostHelpers = 4095;

  // True while the thread does a part of a job.
  static thread_local bool working;

 private:
  static constexpr uint32_t kOpen = kMostHelpers + 1, kNumber = kOpen << 1;

  struct Opener {
    void operator()(std::atomic<bool>* busy) const { busy->store(false, std::memory_order_release); }
  };

  // Has so many threads, or as many as the system gives.
  void start(int helpers) {
    try {
      for (; threads_ < helpers; threads_++) std::thread([this, place = threads_] { serve(place); }).detach();
    } catch (const std::system_error&) {
    }
  }

  [[noreturn]] void serve(int place) {
    for (uint32_t last = 0;;) {
      uint32_t state = state_.load(std::memory_order_acquire);
      if ((state & kOpen) == 0 || state / kNumber == last) {
        state_.wait(state);
        continue;
      }
      // Fails where the job ended or another helper came in between.
      if (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) continue;
      last = state / kNumber;
      if (place < helpers_) work();
      // The last one to leave a closed job wakes the one who waits for it.
      if ((state_.fetch_sub(1, std::memory_order_acq_rel) - 1) % kNumber == 0) state_.notify_all();
    }
  }

  void work() {
    working = true;
    for (int64_t begin; (begin = next_.fetch_add(piece_, std::memory_order_relaxed)) < count_;) {
      try {
        (*run_)(begin, std::min(count_, begin + piece_));
      } catch (...) {
        const std::lock_guard<std::mutex> lock(failing_);
        if (!failure_) failure_ = std::current_exception();
      }
    }
    working = false;
  }

  // Not a mutex: trying one asks for glibc 2.34.
  std::atomic<bool> busy_{false};
  std::mutex failing_;
  int threads_ = 0;
  std::atomic<uint32_t> state_{0};
  // The job.
  const std::function<void(int64_t, int64_t)>* run_ = nullptr;
  int64_t count_ = 0, piece_ = 1;
  int helpers_ = 0;
  std::exception_ptr failure_;
  std::atomic<int64_t> next_{0};
};

thread_local bool Pool::working = false;

}  // namespace

void parallelFor(int64_t count, int64_t piece, const std::function<void(int64_t, int64_t)>& run) {
  // Never destroyed: its threads sleep on it until the process ends.
  static Pool& pool = *new Pool;
  const int64_t pieces = (count + piece - 1) / piece;
  const int helpers =
      static_cast<int>(std::min<int64_t>({at::get_num_threads() - 1, pieces - 1, Pool::kMostHelpers}));
  if (helpers > 0 && !Pool::working && pool.run(helpers, count, piece, run)) return;
  if (count > 0) run(0, count);
}

}  // namespace sqa
