// Tensors for JavaScript: their gradients, their bytes, what is to be known of them, and their end.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstring>
#include <stdexcept>

#include "bridge/bridge.h"
#include "bridge/convert.h"

namespace sqa {
namespace {

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

}  // namespace

void defineTensors(napi_env env, napi_value exports) {
  define<grad, 5>(env, exports, "grad");
  define<setGradEnabled, 1>(env, exports, "setGradEnabled");
  define<setRequiresGrad, 2>(env, exports, "setRequiresGrad");
  define<fromBytes, 5>(env, exports, "fromBytes");
  define<writeBytes, 4>(env, exports, "writeBytes");
  define<toBytes, 2>(env, exports, "toBytes");
  define<describe, 1>(env, exports, "describe");
  define<dispose, 1>(env, exports, "dispose");
  define<collectable, 2>(env, exports, "setCollectable");
}

}  // namespace sqa
