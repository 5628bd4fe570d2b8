// Values across the border: JavaScript <-> IValue, as the types of an operator's schema say.
#pragma once

#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>
#include <node_api.h>

#include <string>
#include <vector>

namespace sqa {

c10::IValue toIValue(napi_env env, napi_value value, const c10::TypePtr& type);
napi_value fromIValue(napi_env env, const c10::IValue& value);

int64_t toInt(napi_env env, napi_value value, const char* what);
double toDouble(napi_env env, napi_value value, const char* what);
bool toBool(napi_env env, napi_value value);
std::string toString(napi_env env, napi_value value, const char* what);
std::vector<int64_t> toInts(napi_env env, napi_value value, const char* what);
std::vector<at::Tensor> toTensors(napi_env env, napi_value value);
bool isNullish(napi_env env, napi_value value);

napi_value fromNumber(napi_env env, double value);
napi_value fromString(napi_env env, const std::string& value);
napi_value fromInts(napi_env env, at::IntArrayRef values);
napi_value fromTensors(napi_env env, const std::vector<at::Tensor>& tensors);
void setProperty(napi_env env, napi_value object, const char* name, napi_value value);

}  // namespace sqa
