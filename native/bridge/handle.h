// The holder that owns an at::Tensor for JavaScript, its accounting, and the translation of errors.
#pragma once

#include <ATen/ATen.h>
#include <node_api.h>

#include <string>

namespace sqa {

// Thrown when JavaScript has already an exception pending: nothing is to be added to it.
struct PendingException {};

void check(napi_env env, napi_status status, const char* what);

// Makes a JavaScript external that owns the tensor; counted in liveTensors() until disposed or collected.
napi_value wrapTensor(napi_env env, at::Tensor tensor);

// The tensor behind a JavaScript external; throws std::invalid_argument when it is none or was disposed. A
// reference of its own: reading a later argument may run JavaScript, which may dispose the handle.
at::Tensor unwrapTensor(napi_env env, napi_value value);

void disposeTensor(napi_env env, napi_value value);

// Sets whether V8 is told of a tensor's bytes, as it is at first: not while something holds the tensor that
// will dispose it, since V8 would collect again and again and find nothing.
void setCollectable(napi_env env, napi_value value, bool collectable);

// Frees the tensors whose externals are collected.
void freeCollected(napi_env env);

// Frees all tensors of an environment that ends.
void freeAll(napi_env env);

int64_t liveTensors();
int64_t liveBytes();
int64_t collectableBytes();  // those that V8 is told of

// JavaScript's class for failed operators, set once for each environment.
void setErrorClass(napi_env env, napi_value constructor);

// Throws the error into JavaScript: the first line of the message, after the operator's name.
void throwError(napi_env env, const std::string& operation, const char* message);

// Runs a native function body and turns every C++ exception into a JavaScript error. The operation's name is
// read only when there is one: the body may fill it in.
template <typename Operation, typename Body>
napi_value guarded(napi_env env, const Operation& operation, Body body) {
  try {
    return body();
  } catch (const PendingException&) {
  } catch (const c10::Error& error) {
    throwError(env, operation, error.what_without_backtrace());
  } catch (const std::exception& error) {
    throwError(env, operation, error.what());
  }
  return nullptr;
}

}  // namespace sqa
