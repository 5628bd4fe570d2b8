// Signals that have arrived while JavaScript is busy: its event loop tells of them only when the work is
// done.
#pragma once

#include <cstdint>

namespace sqa {

// Counts the arrivals of a signal that the process handles since this was first asked, or asked anew after
// another handler came: then counting begins at 0. Of a signal that nobody handles the default stays, and
// none is counted.
int64_t signalsArrived(int number);

}  // namespace sqa
