// The addon: libtorch's operators by schema, gradients, and what is to be known of tensors. No logic beyond
// that; kernels.cc and graphs.cc beside this file have the rest.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include <cstring>
#include <deque>
#include <mutex>
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

// Operators that were looked up, by index; a deque keeps references valid while it grows.
std::deque<c10::OperatorHandle>& operators() {
  static std::deque<c10::OperatorHandle> table;
  return table;
}
std::mutex operatorsMutex;

c10::OperatorHandle operatorAt(int64_t index) {
  std::lock_guard<std::mutex> lock(operatorsMutex);
  if (index < 0 || index >= static_cast<int64_t>(operators().size()))
    throw std::invalid_argument("unknown operator");
  return operators()[index];
}

// findOperator("aten::add", "Tensor") -> index
napi_value findOperator(napi_env env, const Arguments& arguments) {
  std::string name = toString(env, arguments[0], "an operator's name");
  std::string overload = toString(env, arguments[1], "an overload's name");
  auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!handle.has_value()) {
    throw std::invalid_argument("libtorch " TORCH_VERSION " has no operator " + name +
                                (overload.empty() ? "" : "." + overload));
  }
  std::lock_guard<std::mutex> lock(operatorsMutex);
  operators().push_back(*handle);
  return fromNumber(env, static_cast<double>(operators().size() - 1));
}

// schema(index) -> "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"
napi_value schema(napi_env env, const Arguments& arguments) {
  auto handle = operatorAt(toInt(env, arguments[0], "an operator's index"));
  return fromString(env, toString(handle.schema()));
}

// An enumeration crosses the border as its number, and libtorch looks numbers up in tables without checking
// them.
void checkEnumeration(const c10::IValue& value, c10::TypePtr type) {
  if (type->kind() == c10::TypeKind::OptionalType)
    type = type->castRaw<c10::OptionalType>()->getElementType();
  int64_t count = 0;
  if (type->kind() == c10::TypeKind::ScalarTypeType) count = static_cast<int64_t>(at::ScalarType::NumOptions);
  if (type->kind() == c10::TypeKind::MemoryFormatType)
    count = static_cast<int64_t>(at::MemoryFormat::NumOptions);
  if (type->kind() == c10::TypeKind::LayoutType) count = static_cast<int64_t>(at::Layout::NumOptions);
  if (count > 0 && value.isInt() && (value.toInt() < 0 || value.toInt() >= count)) {
    throw std::invalid_argument("there is no " + type->str() + " " + std::to_string(value.toInt()));
  }
}

// LAPACK complains of NaN in a matrix on standard output, which is not its own: such a matrix does not reach
// it.
void checkFactorized(const std::string& operation, const torch::jit::Stack& stack,
                     const std::vector<c10::Argument>& declared) {
  if (operation.rfind("aten::linalg_svd", 0) != 0 && operation.rfind("aten::linalg_eig", 0) != 0) return;
  const at::Tensor matrix = stack[0].toTensor();
  if (matrix.is_cpu() && !at::isfinite(matrix).all().item<bool>()) {
    throw std::invalid_argument("argument \"" + declared[0].name() +
                                "\": it has elements that are NaN or infinite");
  }
}

// Tells whether an operator writes to its first argument and returns it. Its name ends with "_" then, but so
// does that of __and__, which makes a tensor.
bool isInPlace(const std::vector<c10::Argument>& declared) {
  return !declared.empty() && declared[0].alias_info() != nullptr && declared[0].alias_info()->isWrite();
}

// call(index, [arguments]) -> tensor | tensors | number | boolean | null
napi_value call(napi_env env, const Arguments& arguments, std::string& operation) {
  auto handle = operatorAt(toInt(env, arguments[0], "an operator's index"));
  const auto& declared = handle.schema().arguments();
  operation = handle.operator_name().name;
  uint32_t given = 0;
  check(env, napi_get_array_length(env, arguments[1], &given), "expected an array of arguments");
  if (given > declared.size()) throw std::invalid_argument("too many arguments");
  torch::jit::Stack stack;
  stack.reserve(declared.size());
  for (size_t i = 0; i < declared.size(); i++) {
    napi_value value = nullptr;
    napi_valuetype type = napi_undefined;
    if (i < given) {
      check(env, napi_get_element(env, arguments[1], static_cast<uint32_t>(i), &value),
            "cannot read an argument");
      check(env, napi_typeof(env, value, &type), "cannot read an argument's type");
    }
    if (type == napi_undefined) {
      if (declared[i].default_value().has_value()) {
        stack.push_back(*declared[i].default_value());
        continue;
      }
      if (declared[i].type()->kind() != c10::TypeKind::OptionalType) {
        throw std::invalid_argument("argument \"" + declared[i].name() + "\" is missing");
      }
      stack.emplace_back();
      continue;
    }
    try {
      stack.push_back(toIValue(env, value, declared[i].type()));
      checkEnumeration(stack.back(), declared[i].real_type());
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument("argument \"" + declared[i].name() + "\": " + error.what());
    }
  }
  checkFactorized(operation, stack, declared);
  handle.callBoxed(&stack);
  // An operator that writes in place returns its own argument: JavaScript holds that already.
  if (stack.empty() || isInPlace(declared)) {
    napi_value undefined;
    napi_get_undefined(env, &undefined);
    return undefined;
  }
  if (stack.size() == 1) return fromIValue(env, stack[0]);
  napi_value results;
  check(env, napi_create_array_with_length(env, stack.size(), &results), "cannot make an array");
  for (size_t i = 0; i < stack.size(); i++) {
    check(env, napi_set_element(env, results, static_cast<uint32_t>(i), fromIValue(env, stack[i])),
          "cannot fill an array");
  }
  return results;
}

// grad(outputs, inputs, gradients | null, keepGraph, createGraph) -> tensors, null for an input the outputs
// do not depend on
napi_value grad(napi_env env, const Arguments& arguments) {
  auto outputs = toTensors(env, arguments[0]);
  auto inputs = toTensors(env, arguments[1]);
  std::vector<at::Tensor> seeds;
  if (!isNullish(env, arguments[2])) seeds = toTensors(env, arguments[2]);
  bool keepGraph = toBool(env, arguments[3]);
  bool createGraph = toBool(env, arguments[4]);
  auto gradients =
      torch::autograd::grad(outputs, inputs, seeds, keepGraph, createGraph, /*allow_unused=*/true);
  napi_value array;
  check(env, napi_create_array_with_length(env, gradients.size(), &array), "cannot make an array");
  for (size_t i = 0; i < gradients.size(); i++) {
    napi_value gradient;
    if (gradients[i].defined()) {
      gradient = wrapTensor(env, gradients[i]);
    } else {
      napi_get_null(env, &gradient);
    }
    check(env, napi_set_element(env, array, static_cast<uint32_t>(i), gradient), "cannot fill an array");
  }
  return array;
}

// A part of a JavaScript buffer. To be asked for last: reading any other argument may run JavaScript, which
// may free or shrink it.
const char* bytesOf(napi_env env, napi_value buffer, int64_t offset, int64_t length) {
  void* data = nullptr;
  size_t size = 0;
  check(env, napi_get_arraybuffer_info(env, buffer, &data, &size), "expected an ArrayBuffer");
  if (offset < 0 || length < 0 || static_cast<uint64_t>(offset) + length > size) {
    throw std::invalid_argument("the bytes lie outside the buffer");
  }
  return static_cast<const char*>(data) + offset;
}

// fromBytes(arrayBuffer, byteOffset, byteLength, shape, scalar type) -> tensor; the bytes are copied
napi_value fromBytes(napi_env env, const Arguments& arguments) {
  int64_t offset = toInt(env, arguments[1], "a byte offset");
  int64_t length = toInt(env, arguments[2], "a byte length");
  auto shape = toInts(env, arguments[3], "sizes");
  int64_t code = toInt(env, arguments[4], "a scalar type");
  if (code < 0 || code >= static_cast<int64_t>(at::ScalarType::NumOptions))
    throw std::invalid_argument("unknown scalar type");
  auto type = static_cast<at::ScalarType>(code);
  for (int64_t side : shape) {
    if (side < 0) throw std::invalid_argument("a size must not be negative");
  }
  at::Tensor tensor = at::empty(shape, type);
  if (static_cast<int64_t>(tensor.nbytes()) != length) {
    throw std::invalid_argument("the shape takes " + std::to_string(tensor.nbytes()) + " bytes, not " +
                                std::to_string(length));
  }
  const char* data = bytesOf(env, arguments[0], offset, length);
  if (length > 0) std::memcpy(tensor.data_ptr(), data, length);
  return wrapTensor(env, tensor);
}

// writeBytes(tensor, arrayBuffer, byteOffset, byteLength): the elements of a contiguous tensor, without
// waiting for its device
napi_value writeBytes(napi_env env, const Arguments& arguments) {
  at::Tensor tensor = unwrapTensor(env, arguments[0]).detach();
  int64_t offset = toInt(env, arguments[2], "a byte offset");
  int64_t length = toInt(env, arguments[3], "a byte length");
  if (!tensor.is_contiguous() || static_cast<int64_t>(tensor.nbytes()) != length) {
    throw std::invalid_argument("only a contiguous tensor of as many bytes can be written to");
  }
  if (length == 0) return nullptr;
  // libtorch keeps pinned memory until the copy out of it is done; from any other the copy would wait for the
  // device.
  const bool elsewhere = !tensor.is_cpu();
  at::Tensor bytes =
      elsewhere ? at::empty(tensor.sizes(), tensor.options().device(at::kCPU).pinned_memory(true)) : tensor;
  std::memmove(bytes.data_ptr(), bytesOf(env, arguments[1], offset, length), length);
  if (elsewhere) tensor.copy_(bytes, /*non_blocking=*/true);
  else tensor.unsafeGetTensorImpl()->bump_version();
  return nullptr;
}

// toBytes(tensor, share) -> ArrayBuffer; with `share` the buffer is the tensor's own memory, which it keeps
// alive
napi_value toBytes(napi_env env, const Arguments& arguments) {
  at::Tensor tensor = unwrapTensor(env, arguments[0]).detach();
  bool share = toBool(env, arguments[1]);
  if (share && !(tensor.device().is_cpu() && tensor.is_contiguous())) {
    throw std::invalid_argument("only a contiguous tensor on the CPU can share its memory");
  }
  napi_value buffer;
  if (share && tensor.nbytes() > 0) {
    auto* owner = new at::Tensor(tensor);
    napi_status status = napi_create_external_arraybuffer(
        env, tensor.data_ptr(), tensor.nbytes(),
        [](napi_env, void*, void* hint) { delete static_cast<at::Tensor*>(hint); }, owner, &buffer);
    if (status != napi_ok) delete owner;
    check(env, status, "cannot share the memory of a tensor");
    return buffer;
  }
  tensor = tensor.cpu().contiguous();
  void* data = nullptr;
  check(env, napi_create_arraybuffer(env, tensor.nbytes(), &data, &buffer), "cannot make an ArrayBuffer");
  if (tensor.nbytes() > 0) std::memcpy(data, tensor.data_ptr(), tensor.nbytes());
  return buffer;
}

// describe(tensor) -> { shape, type, device, requiresGrad }
napi_value describe(napi_env env, const Arguments& arguments) {
  const at::Tensor tensor = unwrapTensor(env, arguments[0]);
  napi_value object, flag;
  check(env, napi_create_object(env, &object), "cannot make an object");
  setProperty(env, object, "shape", fromInts(env, tensor.sizes()));
  setProperty(env, object, "type", fromNumber(env, static_cast<double>(tensor.scalar_type())));
  setProperty(env, object, "device", fromString(env, tensor.device().str()));
  napi_get_boolean(env, tensor.requires_grad(), &flag);
  setProperty(env, object, "requiresGrad", flag);
  return object;
}

napi_value setRequiresGrad(napi_env env, const Arguments& arguments) {
  at::Tensor tensor = unwrapTensor(env, arguments[0]);
  tensor.set_requires_grad(toBool(env, arguments[1]));
  return nullptr;
}

napi_value dispose(napi_env env, const Arguments& arguments) {
  disposeTensor(env, arguments[0]);
  return nullptr;
}

// setCollectable(tensor, flag)
napi_value collectable(napi_env env, const Arguments& arguments) {
  setCollectable(env, arguments[0], toBool(env, arguments[1]));
  return nullptr;
}

// setGradEnabled(flag) -> the flag before
napi_value setGradEnabled(napi_env env, const Arguments& arguments) {
  bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(toBool(env, arguments[0]));
  napi_value result;
  napi_get_boolean(env, before, &result);
  return result;
}

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

napi_value setTensorErrorClass(napi_env env, const Arguments& arguments) {
  setErrorClass(env, arguments[0]);
  return nullptr;
}

napi_value arrivals(napi_env env, const Arguments& arguments) {
  napi_value value;
  const int64_t count = signalsArrived(static_cast<int>(toInt(env, arguments[0], "a signal")));
  check(env, napi_create_int64(env, count, &value), "cannot make a number");
  return value;
}

// NNPACK is a convolution of libtorch's for a few shapes on some processors; on others it warns at every call
// that it is not there. Without it there is one convolution less to differ between machines.
void leaveOutNnpack() {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  at::globalContext().setUserEnabledNNPACK(false);
#endif
}

// An error of an operator starts with the operator's name, which is known only once its index is read.
napi_value callEntry(napi_env env, napi_callback_info info) {
  std::string operation = "call";
  return guarded(env, operation, [&] { return call(env, Arguments(env, info, 2), operation); });
}

}  // namespace
}  // namespace sqa

NAPI_MODULE_INIT() {
  using namespace sqa;
  keepFreedMemory();
  leaveOutNnpack();
  watchCollections(env);
  define<findOperator, 2>(env, exports, "findOperator");
  define<schema, 1>(env, exports, "schema");
  define<grad, 5>(env, exports, "grad");
  define<fromBytes, 5>(env, exports, "fromBytes");
  define<toBytes, 2>(env, exports, "toBytes");
  define<describe, 1>(env, exports, "describe");
  define<setRequiresGrad, 2>(env, exports, "setRequiresGrad");
  define<dispose, 1>(env, exports, "dispose");
  define<collectable, 2>(env, exports, "setCollectable");
  define<setGradEnabled, 1>(env, exports, "setGradEnabled");
  define<setThreads, 1>(env, exports, "setThreads");
  define<threads, 0>(env, exports, "threads");
  define<versions, 0>(env, exports, "versions");
  define<memory, 0>(env, exports, "memory");
  define<limitMemory, 1>(env, exports, "limitMemory");
  define<writeBytes, 4>(env, exports, "writeBytes");
  define<setTensorErrorClass, 1>(env, exports, "setErrorClass");
  define<arrivals, 1>(env, exports, "signalsArrived");
  defineKernels(env, exports);
  defineGraphs(env, exports);
  defineRanks(env, exports);
  napi_value value;
  napi_create_function(env, "call", NAPI_AUTO_LENGTH, callEntry, nullptr, &value);
  napi_set_named_property(env, exports, "call", value);
  return exports;
}
