// The addon: what JavaScript can ask of it, by the files beside this one. Here: threads, memory, signals, and
// what it was built for.
#include <ATen/Context.h>
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

napi_value setTensorErrorClass(napi_env env, const Arguments& arguments) {
  setErrorClass(env, arguments[0]);
  return nullptr;
}

// NNPACK is a convolution of libtorch's for a few shapes on some processors; on others it warns at every call
// that it is not there. Without it there is one convolution less to differ between machines.
void leaveOutNnpack() {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  at::globalContext().setUserEnabledNNPACK(false);
#endif
}

}  // namespace
}  // namespace sqa

NAPI_MODULE_INIT() {
  using namespace sqa;
  keepFreedMemory();
  leaveOutNnpack();
  watchCollections(env);
  define<setTensorErrorClass, 1>(env, exports, "setErrorClass");
  defineOperators(env, exports);
  defineTensors(env, exports);
  define<setThreads, 1>(env, exports, "setThreads");
  define<threads, 0>(env, exports, "threads");
  define<versions, 0>(env, exports, "versions");
  define<memory, 0>(env, exports, "memory");
  define<limitMemory, 1>(env, exports, "limitMemory");
  define<arrivals, 1>(env, exports, "signalsArrived");
  defineKernels(env, exports);
  defineGraphs(env, exports);
  defineRanks(env, exports);
  return exports;
}
