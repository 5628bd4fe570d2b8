// Graphs of work on a device, for JavaScript.
#include <map>
#include <memory>
#include <stdexcept>

#include <ATen/Context.h>

#include "bridge/bridge.h"
#include "bridge/convert.h"
#include "cuda/cuda.h"

namespace sqa {
namespace {

// Graphs by number: one that is none is refused, which an external of somebody else could not be. Never
// deleted: at the end of the process CUDA may be gone before.
std::map<int64_t, std::unique_ptr<Graph>>& graphs() {
  thread_local auto* known = new std::map<int64_t, std::unique_ptr<Graph>>;
  return *known;
}

std::unique_ptr<Graph>& graphAt(napi_env env, napi_value number) {
  auto found = graphs().find(toInt(env, number, "a graph's number"));
  if (found == graphs().end()) throw std::invalid_argument("unknown graph");
  return found->second;
}

napi_value openDevice(napi_env env, const Arguments& arguments) {
  useOwnStream(toInt(env, arguments[0], "a device's number"));
  return nullptr;
}

// searchConvolutions(flag): whether cuDNN times its algorithms for each new shape and takes the fastest
napi_value searchConvolutions(napi_env env, const Arguments& arguments) {
  at::globalContext().setBenchmarkCuDNN(toBool(env, arguments[0]));
  return nullptr;
}

// beginGraph(device's number) -> graph's number
napi_value begin(napi_env env, const Arguments& arguments) {
  thread_local int64_t last = 0;
  graphs()[++last] = beginGraph(toInt(env, arguments[0], "a device's number"));
  return fromNumber(env, static_cast<double>(last));
}

napi_value end(napi_env env, const Arguments& arguments) {
  graphAt(env, arguments[0])->end();
  return nullptr;
}

napi_value replay(napi_env env, const Arguments& arguments) {
  graphAt(env, arguments[0])->replay();
  return nullptr;
}

napi_value disposeGraph(napi_env env, const Arguments& arguments) {
  graphs().erase(toInt(env, arguments[0], "a graph's number"));
  return nullptr;
}

}  // namespace

void defineGraphs(napi_env env, napi_value exports) {
  define<openDevice, 1>(env, exports, "openDevice");
  define<searchConvolutions, 1>(env, exports, "searchConvolutions");
  define<begin, 1>(env, exports, "beginGraph");
  define<end, 1>(env, exports, "endGraph");
  define<replay, 1>(env, exports, "replayGraph");
  define<disposeGraph, 1>(env, exports, "disposeGraph");
}

}  // namespace sqa
