// The machine, for JavaScript: threads, memory, signals, and what the addon was built for.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/version.h>

#include <stdexcept>

#include "bridge/bridge.h"
#include "bridge/collection.h"
#include "bridge/convert.h"
#include "bridge/signals.h"
#include "cuda/cuda.h"
#include "memory/tensor_memory.h"
#include "vectors/instruction_set.h"

namespace sqa {
namespace {

napi_value setThreads(napi_env env, const Arguments& arguments) {
  int64_t threads = toInt(env, arguments[0], "a number of threads");
  if (threads < 1 || threads > 1024) throw std::invalid_argument("threads must lie in 1 .. 1024");
  at::set_num_threads(static_cast<int>(threads));
  return nullptr;
}

napi_value threads(napi_env env, const Arguments&) { return fromNumber(env, at::get_num_threads()); }

// "AVX2", "AVX512", ...: the instruction set that libtorch's kernels use, read from its configuration text.
std::string cpuCapability() {
  const std::string config = at::show_config();
  const std::string key = "CPU capability usage: ";
  const size_t begin = config.find(key);
  if (begin == std::string::npos) return "unknown";
  return config.substr(begin + key.size(), config.find('\n', begin) - begin - key.size());
}

// Names the CUDA that this build has: "none"; "libtorch", without kernels of our own; or "kernels".
const char* cudaBuild() {
#if defined(SQA_CUDA_LIBTORCH)
  return hasCudaKernels() ? "kernels" : "libtorch";
#else
  return "none";
#endif
}

napi_value versions(napi_env env, const Arguments&) {
  napi_value object;
  check(env, napi_create_object(env, &object), "cannot make an object");
  setProperty(env, object, "libtorch", fromString(env, TORCH_VERSION));
  setProperty(env, object, "cpuCapability", fromString(env, cpuCapability()));
  setProperty(env, object, "kernels", fromString(env, nameOf(instructionSet())));
  setProperty(env, object, "cuda", fromString(env, cudaBuild()));
  setProperty(env, object, "cudaDevices",
              fromNumber(env, at::hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0));
  return object;
}

napi_value memory(napi_env env, const Arguments&) {
  freeCollected(env);
  napi_value object;
  check(env, napi_create_object(env, &object), "cannot make an object");
  setProperty(env, object, "tensors", fromNumber(env, static_cast<double>(liveTensors())));
  setProperty(env, object, "bytes", fromNumber(env, static_cast<double>(liveBytes())));
  setProperty(env, object, "collectableBytes", fromNumber(env, static_cast<double>(collectableBytes())));
  return object;
}

// limitMemory(bytes): bytes that tensors may take beyond those that they have now, -1 for no limit
napi_value limitMemory(napi_env env, const Arguments& arguments) {
  limitTensorMemory(toInt(env, arguments[0], "a number of bytes"));
  return nullptr;
}

napi_value arrivals(napi_env env, const Arguments& arguments) {
  napi_value value;
  const int64_t count = signalsArrived(static_cast<int>(toInt(env, arguments[0], "a signal")));
  check(env, napi_create_int64(env, count, &value), "cannot make a number");
  return value;
}

}  // namespace

void defineMachine(napi_env env, napi_value exports) {
  define<setThreads, 1>(env, exports, "setThreads");
  define<threads, 0>(env, exports, "threads");
  define<versions, 0>(env, exports, "versions");
  define<memory, 0>(env, exports, "memory");
  define<limitMemory, 1>(env, exports, "limitMemory");
  define<arrivals, 1>(env, exports, "signalsArrived");
}

}  // namespace sqa
