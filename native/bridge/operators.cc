// libtorch's operators by schema, for JavaScript.
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/version.h>

#include <deque>
#include <mutex>
#include <stdexcept>

#include "bridge/bridge.h"
#include "bridge/convert.h"

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

// An error of an operator starts with the operator's name, which is known only once its index is read.
napi_value callEntry(napi_env env, napi_callback_info info) {
  std::string operation = "call";
  return guarded(env, operation, [&] { return call(env, Arguments(env, info, 2), operation); });
}

}  // namespace

void defineOperators(napi_env env, napi_value exports) {
  define<findOperator, 2>(env, exports, "findOperator");
  define<schema, 1>(env, exports, "schema");
  napi_value value;
  napi_create_function(env, "call", NAPI_AUTO_LENGTH, callEntry, nullptr, &value);
  napi_set_named_property(env, exports, "call", value);
}

}  // namespace sqa
