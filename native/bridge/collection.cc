#include "bridge/collection.h"

#include "bridge/handle.h"

namespace sqa {
namespace {

// A weak reference to an object that nothing holds: it is empty after the next collection, a minor one as
// well. One for each thread, which has one environment at most.
thread_local napi_ref unheld = nullptr;
thread_local bool watching = false;

void finalizeUnheld(napi_env env, void*, void*) {
  if (watching && collectedSince(env)) freeCollected(env);
}

void plant(napi_env env) {
  napi_value object = nullptr;
  if (napi_create_external(env, nullptr, finalizeUnheld, nullptr, &object) != napi_ok) return;
  if (napi_create_reference(env, object, 0, &unheld) != napi_ok) unheld = nullptr;
}

void endWatch(void* data) {
  watching = false;
  freeAll(static_cast<napi_env>(data));
}

}  // namespace

void watchCollections(napi_env env) {
  watching = true;
  unheld = nullptr;
  napi_add_env_cleanup_hook(env, endWatch, env);
}

bool collectedSince(napi_env env) {
  // A scope of its own: a handle to the object would hold it.
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return true;
  napi_value object = nullptr;
  const bool collected =
      unheld == nullptr || napi_get_reference_value(env, unheld, &object) != napi_ok || object == nullptr;
  if (collected) {
    if (unheld != nullptr) napi_delete_reference(env, unheld);
    unheld = nullptr;
    plant(env);
  }
  napi_close_handle_scope(env, scope);
  return collected;
}

}  // namespace sqa
