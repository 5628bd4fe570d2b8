// Starting a kernel. The tests put a version of their own in its place, which runs a kernel's threads on the
// CPU.
#pragma once

#include <cuda_runtime_api.h>

#if defined(__CUDACC__)

namespace sqa::cuda {

template <typename... Parameters, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), dim3 blocks, uint32_t threads, cudaStream_t stream,
                   const Arguments&... arguments) {
  kernel<<<blocks, threads, 0, stream>>>(arguments...);
  return cudaGetLastError();
}

}  // namespace sqa::cuda

#endif
