// Where the memory of tensors on the CPU comes from.
#pragma once

#include <cstdint>

namespace sqa {

// From now on memory that tensors or libtorch's libraries have freed stays with the process, to be taken
// again.
void keepFreedMemory();

// From now on tensors on the CPU take at most so many bytes more than they do now, together: what goes beyond
// is an error of libtorch. A negative number is no limit.
void limitTensorMemory(int64_t more);

}  // namespace sqa
