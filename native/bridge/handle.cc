#include "bridge/handle.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <unordered_set>

#include "bridge/collection.h"

namespace sqa {
namespace {

// Bytes that a handle costs beside the tensor's data, so that a loop over tiny tensors is collected too.
constexpr int64_t kHandleBytes = 256;

// The bytes that V8 is told of. It collects at once when 128 MiB more than after its last collection are
// reported, and sooner only where an idle core does the marking; a quarter on top keeps a loop of dropped
// tensors near 100 MiB on a busy machine too.
int64_t reported(int64_t bytes) { return bytes + bytes / 4; }

struct Holder {
  at::Tensor tensor;
  int64_t bytes = 0;
  bool collectable = true;  // whether V8 is told of the bytes
  napi_ref external = nullptr;  // weak: empty once the external is collected
};

struct EnvironmentData {
  napi_ref errorClass = nullptr;
};

// The holders of this thread's environment, which tell our externals from anybody else's: what a foreign
// external points to may be freed already, so it must not be looked at. Never deleted: the environment may
// end after thread-local destructors.
std::unordered_set<void*>& holders() {
  thread_local auto* known = new std::unordered_set<void*>;
  return *known;
}

std::atomic<int64_t> liveCount{0};
std::atomic<int64_t> liveByteCount{0};
std::atomic<int64_t> collectableByteCount{0};

void tell(napi_env env, int64_t bytes) {
  int64_t total = 0;
  napi_adjust_external_memory(env, bytes < 0 ? -reported(-bytes) : reported(bytes), &total);
  collectableByteCount += bytes;
}

void release(napi_env env, Holder* holder) {
  if (holder->bytes == 0) return;
  holder->tensor.reset();
  if (holder->collectable) tell(env, -holder->bytes);
  liveByteCount -= holder->bytes;
  liveCount -= 1;
  holder->bytes = 0;
}

void destroy(napi_env env, Holder* holder) {
  release(env, holder);
  napi_delete_reference(env, holder->external);
  delete holder;
}

// The bytes that are freed with a tensor. A view owns none: its base is counted already. Nor does a tensor
// without memory, such as libtorch's "meta" ones, whose sizes may be larger than any machine.
int64_t ownBytes(const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.is_view() || !tensor.has_storage()) return 0;
  if (!tensor.is_cpu() && !tensor.is_cuda()) return 0;
  return static_cast<int64_t>(std::min(tensor.nbytes(), tensor.storage().nbytes()));
}

Holder* holderOf(napi_env env, napi_value value) {
  void* data = nullptr;
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external ||
      napi_get_value_external(env, value, &data) != napi_ok || holders().count(data) == 0) {
    throw std::invalid_argument("expected a tensor");
  }
  return static_cast<Holder*>(data);
}

}  // namespace

void check(napi_env env, napi_status status, const char* what) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) throw PendingException{};
  throw std::invalid_argument(what);
}

napi_value wrapTensor(napi_env env, at::Tensor tensor) {
  auto* holder = new Holder;
  holder->bytes = kHandleBytes + ownBytes(tensor);
  holder->tensor = std::move(tensor);
  napi_value value;
  napi_status status = napi_create_external(env, holder, nullptr, nullptr, &value);
  if (status == napi_ok) status = napi_create_reference(env, value, 0, &holder->external);
  if (status != napi_ok) {
    delete holder;
    check(env, status, "cannot make a tensor handle");
  }
  holders().insert(holder);
  // V8 may collect within it.
  tell(env, holder->bytes);
  liveByteCount += holder->bytes;
  liveCount += 1;
  if (collectedSince(env)) freeCollected(env);
  return value;
}

at::Tensor unwrapTensor(napi_env env, napi_value value) {
  Holder* holder = holderOf(env, value);
  if (holder->bytes == 0) throw std::invalid_argument("a tensor was used after it was disposed");
  return holder->tensor;
}

void disposeTensor(napi_env env, napi_value value) { release(env, holderOf(env, value)); }

void setCollectable(napi_env env, napi_value value, bool collectable) {
  Holder* holder = holderOf(env, value);
  if (holder->bytes == 0 || holder->collectable == collectable) return;
  holder->collectable = collectable;
  tell(env, collectable ? holder->bytes : -holder->bytes);
}

void freeCollected(napi_env env) {
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  for (auto place = holders().begin(); place != holders().end();) {
    auto* holder = static_cast<Holder*>(*place);
    napi_value external = nullptr;
    const bool collected =
        napi_get_reference_value(env, holder->external, &external) == napi_ok && external == nullptr;
    if (!collected) {
      ++place;
      continue;
    }
    place = holders().erase(place);
    destroy(env, holder);
  }
  napi_close_handle_scope(env, scope);
}

void freeAll(napi_env env) {
  for (void* holder : holders()) destroy(env, static_cast<Holder*>(holder));
  holders().clear();
}

int64_t liveTensors() { return liveCount; }
int64_t liveBytes() { return liveByteCount; }
int64_t collectableBytes() { return collectableByteCount; }

void setErrorClass(napi_env env, napi_value constructor) {
  auto* data = new EnvironmentData;
  check(env, napi_create_reference(env, constructor, 1, &data->errorClass), "expected the error class");
  const napi_finalize free = [](napi_env, void* old, void*) { delete static_cast<EnvironmentData*>(old); };
  check(env, napi_set_instance_data(env, data, free, nullptr), "cannot keep the error class");
}

namespace {

// The first line of a message of libtorch's, without what is meant for its developers: file names and the way
// to report a bug.
std::string plainText(const char* message) {
  const char* end = std::strchr(message, '\n');
  std::string text = end == nullptr ? std::string(message) : std::string(message, end);
  const size_t internal = text.find("INTERNAL ASSERT FAILED");
  if (internal != std::string::npos) {
    const std::string report = "please report a bug to PyTorch.";
    const size_t reason = text.find(report, internal);
    std::string rest = reason == std::string::npos ? "" : text.substr(reason + report.size());
    return "libtorch does not take these arguments" + (rest.empty() ? "" : ":" + rest);
  }
  const size_t list = text.find(" This could be because the operator doesn't exist for this backend");
  return list == std::string::npos ? text : text.substr(0, list);
}

}  // namespace

void throwError(napi_env env, const std::string& operation, const char* message) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) return;
  std::string text = operation + ": " + plainText(message);
  EnvironmentData* data = nullptr;
  napi_get_instance_data(env, reinterpret_cast<void**>(&data));
  napi_value errorClass = nullptr, argument = nullptr, error = nullptr;
  if (data != nullptr && napi_get_reference_value(env, data->errorClass, &errorClass) == napi_ok &&
      errorClass && napi_create_string_utf8(env, text.c_str(), text.size(), &argument) == napi_ok &&
      napi_new_instance(env, errorClass, 1, &argument, &error) == napi_ok) {
    napi_throw(env, error);
  } else {
    napi_throw_error(env, "ERR_TORCH", text.c_str());
  }
}

}  // namespace sqa
