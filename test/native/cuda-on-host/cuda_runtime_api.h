// CUDA's language and runtime as far as native/cuda uses them, for g++: a block's threads take turns on the CPU, from barrier to
// barrier, and blocks follow one another. So the kernels' arithmetic, indices and barriers are tested where there is no device.
#pragma once

#include <ucontext.h>

#include <cstdint>
#include <functional>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __shared__ static

using cudaStream_t = void*;
enum cudaError_t { cudaSuccess };

struct dim3 {
  uint32_t x, y, z;
  dim3(uint32_t x = 1, uint32_t y = 1, uint32_t z = 1) : x(x), y(y), z(z) {}
};

inline dim3 threadIdx, blockIdx, gridDim;

// One thread of the block: a stack of its own, left at a barrier and at its end.
struct Fiber {
  ucontext_t context;
  std::vector<char> stack;
  bool ended = false;
};

inline ucontext_t scheduler;
inline Fiber* running = nullptr;
inline std::function<void()> body;

inline void __syncthreads() { swapcontext(&running->context, &scheduler); }

inline void runFiber() {
  body();
  running->ended = true;  // returning goes on with the scheduler, the context's successor
}

inline void runBlock(std::vector<Fiber>& fibers) {
  for (Fiber& fiber : fibers) {
    getcontext(&fiber.context);
    fiber.stack.resize(1 << 16);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = fiber.stack.size();
    fiber.context.uc_link = &scheduler;
    fiber.ended = false;
    makecontext(&fiber.context, runFiber, 0);
  }
  for (bool all = false; !all;) {
    all = true;
    for (uint32_t thread = 0; thread < fibers.size(); thread++) {
      running = &fibers[thread];
      if (running->ended) continue;
      threadIdx = dim3(thread, 0, 0);
      swapcontext(&scheduler, &running->context);
      all = all && running->ended;
    }
  }
}

namespace sqa::cuda {

template <typename... Parameters, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), dim3 blocks, uint32_t threads, cudaStream_t,
                   const Arguments&... arguments) {
  std::vector<Fiber> fibers(threads);
  body = [&] { kernel(arguments...); };
  gridDim = blocks;
  for (uint32_t y = 0; y < blocks.y; y++) {
    for (uint32_t x = 0; x < blocks.x; x++) {
      blockIdx = dim3(x, y, 0);
      runBlock(fibers);
    }
  }
  return cudaSuccess;
}

}  // namespace sqa::cuda
