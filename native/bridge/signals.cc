#include "bridge/signals.h"

#include <signal.h>

#include <atomic>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace sqa {
namespace {

constexpr int kSignals = 32;

// All that a handler touches: nothing of it allocates or locks.
std::atomic<int64_t> arrived[kSignals];
struct sigaction former[kSignals];
static_assert(std::atomic<int64_t>::is_always_lock_free);

void count(int number, siginfo_t* info, void* context) {
  arrived[number].fetch_add(1, std::memory_order_relaxed);
  const struct sigaction& before = former[number];
  if (before.sa_flags & SA_SIGINFO) {
    before.sa_sigaction(number, info, context);
  } else {
    before.sa_handler(number);
  }
}

void handlerOf(int number, const struct sigaction* next, struct sigaction* now) {
  if (sigaction(number, next, now) != 0) throw std::system_error(errno, std::generic_category(), "sigaction");
}

// Counts beside the handler that there is, unless it is done already.
void watch(int number) {
  struct sigaction current;
  handlerOf(number, nullptr, &current);
  const bool ours = (current.sa_flags & SA_SIGINFO) && current.sa_sigaction == count;
  if (ours || current.sa_handler == SIG_DFL || current.sa_handler == SIG_IGN) return;
  former[number] = current;
  arrived[number] = 0;
  struct sigaction counting = current;
  counting.sa_flags |= SA_SIGINFO;
  counting.sa_sigaction = count;
  handlerOf(number, &counting, nullptr);
}

}  // namespace

int64_t signalsArrived(int number) {
  if (number < 1 || number >= kSignals) {
    throw std::invalid_argument("a signal's number lies in 1 .. 31, not " + std::to_string(number));
  }
  watch(number);
  return arrived[number].load(std::memory_order_relaxed);
}

}  // namespace sqa
