// What the addon's functions for JavaScript have in common.
#pragma once

#include <node_api.h>

#include <stdexcept>
#include <string>

#include "bridge/handle.h"

namespace sqa {

constexpr size_t kMaxArguments = 12;

struct Arguments {
  napi_value values[kMaxArguments];
  size_t count = kMaxArguments;

  Arguments(napi_env env, napi_callback_info info, size_t expected) {
    check(env, napi_get_cb_info(env, info, &count, values, nullptr, nullptr), "cannot read the arguments");
    if (count < expected) throw std::invalid_argument("expected " + std::to_string(expected) + " arguments");
  }
  napi_value operator[](size_t i) const { return values[i]; }
};

using Function = napi_value (*)(napi_env, const Arguments&);

template <Function function, size_t expected>
void define(napi_env env, napi_value exports, const char* name) {
  napi_value value;
  napi_create_function(
      env, name, NAPI_AUTO_LENGTH,
      [](napi_env env, napi_callback_info info) -> napi_value {
        void* data = nullptr;
        napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
        return guarded(env, static_cast<const char*>(data),
                       [&] { return function(env, Arguments(env, info, expected)); });
      },
      const_cast<char*>(name), &value);
  napi_set_named_property(env, exports, name, value);
}

// libtorch's operators.
void defineOperators(napi_env env, napi_value exports);

// Tensors: gradients, bytes and facts.
void defineTensors(napi_env env, napi_value exports);

// Noise, SQA and the fused convolution block.
void defineKernels(napi_env env, napi_value exports);

// Graphs of work on a device.
void defineGraphs(napi_env env, napi_value exports);

// Processes that train one model together.
void defineRanks(napi_env env, napi_value exports);

}  // namespace sqa
