#include "signals.h"

#include <signal.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <system_error>

namespace sqa {
namespace {

constexpr int kSignals = 32;

// What a handler may touch: nothing of it allocates or locks.
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

int checked(int number) {
  if (number < 1 || number >= kSignals) throw std::invalid_argument("a signal's number lies in 1 .. 31, not " + std::to_string(number));
  return number;
}

}  // namespace

void watchSignal(int number) {
  struct sigaction current;
  if (sigaction(checked(number), nullptr, &current) != 0) throw std::system_error(errno, std::generic_category(), "sigaction");
  const bool ours = (current.sa_flags & SA_SIGINFO) && current.sa_sigaction == count;
  if (ours || current.sa_handler == SIG_DFL || current.sa_handler == SIG_IGN) return;
  former[number] = current;
  struct sigaction counting = current;
  counting.sa_flags |= SA_SIGINFO;
  counting.sa_sigaction = count;
  if (sigaction(number, &counting, nullptr) != 0) throw std::system_error(errno, std::generic_category(), "sigaction");
}

int64_t signalsArrived(int number) { return arrived[checked(number)].load(std::memory_order_relaxed); }

}  // namespace sqa
