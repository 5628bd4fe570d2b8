// Signals that have arrived while JavaScript is busy: its event loop tells of them only when the work is done.
#pragma once

#include <cstdint>

namespace sqa {

// Counts arrivals of a signal that the process handles, beside its handler; again where another handler has come since. Of a
// signal that nobody handles the default stays, and none is counted.
void watchSignal(int number);

// How often the signal has arrived since it was first watched.
int64_t signalsArrived(int number);

}  // namespace sqa
