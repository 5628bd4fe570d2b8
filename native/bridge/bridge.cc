// The addon: what JavaScript can ask of it, by the files beside this one. No logic beyond that.
#include <torch/version.h>

#include <ATen/Context.h>

#include "bridge/bridge.h"
#include "bridge/collection.h"
#include "memory/tensor_memory.h"

namespace sqa {
namespace {

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
  defineMachine(env, exports);
  defineKernels(env, exports);
  defineGraphs(env, exports);
  defineRanks(env, exports);
  return exports;
}
