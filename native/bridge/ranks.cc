// Processes that train one model together, for JavaScript.
#include <ATen/core/grad_mode.h>

#include "bridge/bridge.h"
#include "bridge/convert.h"
#include "ranks/mpi.h"
#include "ranks/shared_batch.h"

namespace sqa {
namespace {

// joinRanks(library's name or path) -> { rank, size }
napi_value join(napi_env env, const Arguments& arguments) {
  const RankOf found = joinRanks(toString(env, arguments[0], "a library"));
  napi_value object;
  check(env, napi_create_object(env, &object), "cannot make an object");
  setProperty(env, object, "rank", fromNumber(env, found.rank));
  setProperty(env, object, "size", fromNumber(env, found.size));
  return object;
}

napi_value leave(napi_env env, const Arguments& arguments) {
  leaveRanks(static_cast<int>(toInt(env, arguments[0], "an exit code")));
  return nullptr;
}

// sumTensors(tensors) -> tensors
napi_value sums(napi_env env, const Arguments& arguments) {
  const auto found = sumTensors(toTensors(env, arguments[0]));
  napi_value list;
  check(env, napi_create_array_with_length(env, found.size(), &list), "cannot make a list");
  for (size_t i = 0; i < found.size(); i++) {
    check(env, napi_set_element(env, list, static_cast<uint32_t>(i), wrapTensor(env, found[i])), "cannot fill a list");
  }
  return list;
}

// The memory of a typed array, of which no number is read as another type's.
template <typename Number>
std::pair<Number*, int64_t> numbersOf(napi_env env, napi_value value, napi_typedarray_type expected) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok || type != expected) {
    throw std::invalid_argument("expected a typed array of another type");
  }
  return {static_cast<Number*>(data), static_cast<int64_t>(length)};
}

// sumNumbers(Float64Array), in place
napi_value sumNumbers(napi_env env, const Arguments& arguments) {
  const auto [numbers, count] = numbersOf<double>(env, arguments[0], napi_float64_array);
  sumOverRanks(numbers, count);
  return nullptr;
}

// bytesOfFirst(Uint8Array), in place
napi_value bytesOfFirst(napi_env env, const Arguments& arguments) {
  const auto [bytes, count] = numbersOf<uint8_t>(env, arguments[0], napi_uint8_array);
  bytesOfFirstRank(bytes, count);
  return nullptr;
}

// tensorsOfFirst(tensors), in place
napi_value tensorsOfFirst(napi_env env, const Arguments& arguments) {
  at::NoGradGuard guard;
  for (const at::Tensor& tensor : toTensors(env, arguments[0])) {
    at::Tensor plain = tensor.detach().cpu().contiguous();
    bytesOfFirstRank(plain.data_ptr(), static_cast<int64_t>(plain.nbytes()));
    if (!plain.is_alias_of(tensor)) tensor.detach().copy_(plain);
  }
  return nullptr;
}

// sharedBatchNorm(input, weight, bias, running mean, running variance, momentum, epsilon)
napi_value batchNorm(napi_env env, const Arguments& arguments) {
  const BatchNormOptions options{toDouble(env, arguments[5], "a momentum"), toDouble(env, arguments[6], "an epsilon")};
  return wrapTensor(env, sharedBatchNorm(unwrapTensor(env, arguments[0]), unwrapTensor(env, arguments[1]),
                                         unwrapTensor(env, arguments[2]), unwrapTensor(env, arguments[3]),
                                         unwrapTensor(env, arguments[4]), options));
}

}  // namespace

void defineRanks(napi_env env, napi_value exports) {
  define<join, 1>(env, exports, "joinRanks");
  define<leave, 1>(env, exports, "leaveRanks");
  define<sums, 1>(env, exports, "sumTensors");
  define<sumNumbers, 1>(env, exports, "sumNumbers");
  define<bytesOfFirst, 1>(env, exports, "bytesOfFirst");
  define<tensorsOfFirst, 1>(env, exports, "tensorsOfFirst");
  define<batchNorm, 7>(env, exports, "sharedBatchNorm");
}

}  // namespace sqa
