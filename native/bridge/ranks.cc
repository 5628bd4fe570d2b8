// Processes that train one model together, for JavaScript.
#include <ATen/core/grad_mode.h>

#include "bridge/bridge.h"
#include "bridge/convert.h"
#include "ranks/ranks.h"
#include "ranks/shared_batch.h"

namespace sqa {
namespace {

napi_value placeObject(napi_env env, RankOf place) {
  napi_value object;
  check(env, napi_create_object(env, &object), "cannot make an object");
  setProperty(env, object, "rank", fromNumber(env, place.rank));
  setProperty(env, object, "size", fromNumber(env, place.size));
  return object;
}

// joinByMpi(library's name or path) -> { rank, size }
napi_value byMpi(napi_env env, const Arguments& arguments) {
  return placeObject(env, joinRanks(joinByMpi(toString(env, arguments[0], "a library"))));
}

// joinByGloo(host, port, serves, name, address, interface, rank, size) -> { rank, size }
napi_value byGloo(napi_env env, const Arguments& arguments) {
  const auto number = [&](size_t i, const char* what) {
    return static_cast<int>(toInt(env, arguments[i], what));
  };
  const auto text = [&](size_t i, const char* what) { return toString(env, arguments[i], what); };
  const Meeting meeting{text(0, "a host"), number(1, "a port"), number(2, "0 or 1") != 0,
                        text(3, "a name"), text(4, "an address"), text(5, "an interface")};
  return placeObject(env,
                     joinRanks(joinByGloo(meeting, {number(6, "a rank"), number(7, "a number of ranks")})));
}

// joinDevices(device's number)
napi_value byNccl(napi_env env, const Arguments& arguments) {
  joinDevices(toInt(env, arguments[0], "a device"));
  return nullptr;
}

napi_value leave(napi_env env, const Arguments& arguments) {
  leaveRanks(static_cast<int>(toInt(env, arguments[0], "an exit code")));
  return nullptr;
}

// sumTensors(tensors) -> tensors
napi_value sums(napi_env env, const Arguments& arguments) {
  return fromTensors(env, sumTensors(toTensors(env, arguments[0])));
}

// The memory of a typed array, of which no number is read as another type's.
template <typename Number>
std::pair<Number*, int64_t> numbersOf(napi_env env, napi_value value, napi_typedarray_type expected) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != expected) {
    throw std::invalid_argument("expected a typed array of another type");
  }
  return {static_cast<Number*>(data), static_cast<int64_t>(length)};
}

// sumNumbers(Float64Array), in place
napi_value sumNumbers(napi_env env, const Arguments& arguments) {
  const auto [numbers, count] = numbersOf<double>(env, arguments[0], napi_float64_array);
  sumOverRanks(at::from_blob(numbers, {count}, at::kDouble));
  return nullptr;
}

// bytesOfFirst(Uint8Array), in place
napi_value bytesOfFirst(napi_env env, const Arguments& arguments) {
  const auto [bytes, count] = numbersOf<uint8_t>(env, arguments[0], napi_uint8_array);
  copyFirstRank(at::from_blob(bytes, {count}, at::kByte));
  return nullptr;
}

// tensorsOfFirst(tensors), in place
napi_value tensorsOfFirst(napi_env env, const Arguments& arguments) {
  at::NoGradGuard guard;
  for (const at::Tensor& tensor : toTensors(env, arguments[0])) {
    const at::Tensor plain = tensor.detach().contiguous();
    copyFirstRank(plain);
    if (!plain.is_alias_of(tensor)) tensor.detach().copy_(plain);
  }
  return nullptr;
}

// sharedBatchNorm(input, weight, bias, running mean, running variance, momentum, epsilon)
napi_value batchNorm(napi_env env, const Arguments& arguments) {
  const BatchNormOptions options{toDouble(env, arguments[5], "a momentum"),
                                 toDouble(env, arguments[6], "an epsilon")};
  return wrapTensor(env, sharedBatchNorm(unwrapTensor(env, arguments[0]), unwrapTensor(env, arguments[1]),
                                         unwrapTensor(env, arguments[2]), unwrapTensor(env, arguments[3]),
                                         unwrapTensor(env, arguments[4]), options));
}

}  // namespace

void defineRanks(napi_env env, napi_value exports) {
  define<byMpi, 1>(env, exports, "joinByMpi");
  define<byGloo, 8>(env, exports, "joinByGloo");
  define<byNccl, 1>(env, exports, "joinDevices");
  define<leave, 1>(env, exports, "leaveRanks");
  define<sums, 1>(env, exports, "sumTensors");
  define<sumNumbers, 1>(env, exports, "sumNumbers");
  define<bytesOfFirst, 1>(env, exports, "bytesOfFirst");
  define<tensorsOfFirst, 1>(env, exports, "tensorsOfFirst");
  define<batchNorm, 7>(env, exports, "sharedBatchNorm");
}

}  // namespace sqa
