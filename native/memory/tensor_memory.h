// Where the memory of tensors on the CPU comes from.
#pragma once

namespace sqa {

// From now on memory that tensors or libtorch's libraries have freed stays with the process, to be taken again.
void keepFreedMemory();

}  // namespace sqa
