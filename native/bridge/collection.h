// Notices garbage collections with what Node-API promises from one Node to the next. Its finalizers wait for
// a later turn of the event loop, so a synchronous loop that drops tensors would free none.
#pragma once

#include <node_api.h>

namespace sqa {

// Starts to watch an environment: what is collected there is freed at the event loop's turns too, and all of
// it at its end.
void watchCollections(napi_env env);

// Tells whether there was a collection since it was asked last.
bool collectedSince(napi_env env);

}  // namespace sqa
