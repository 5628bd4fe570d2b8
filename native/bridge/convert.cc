#include "bridge/convert.h"

#include <cmath>
#include <stdexcept>

#include "bridge/handle.h"

namespace sqa {
namespace {

napi_valuetype typeOf(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type), "cannot read the type of a value");
  return type;
}

template <typename Visit>
void forEachElement(napi_env env, napi_value array, const char* what, Visit visit) {
  bool isArray = false;
  napi_is_array(env, array, &isArray);
  if (!isArray) throw std::invalid_argument(std::string("expected an array of ") + what);
  uint32_t length = 0;
  check(env, napi_get_array_length(env, array, &length), "cannot read an array's length");
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    check(env, napi_get_element(env, array, i, &element), "cannot read an array's element");
    visit(element);
  }
}

// libtorch knows other devices, of which "meta" has no memory to read or write.
c10::Device toDevice(const std::string& name) {
  if (name == "cpu" || name == "cuda" || name.rfind("cuda:", 0) == 0) return c10::Device(name);
  throw std::invalid_argument("a device must be cpu, cuda or cuda:N, not " + name);
}

at::Scalar toScalar(napi_env env, napi_value value) {
  if (typeOf(env, value) == napi_boolean) return toBool(env, value);
  double number = toDouble(env, value, "a number");
  // An integral value stays an integer, so that integer tensors are not promoted to floating point.
  if (std::trunc(number) == number && std::abs(number) < 9007199254740992.0)
    return static_cast<int64_t>(number);
  return number;
}

c10::IValue toList(napi_env env, napi_value value, const c10::TypePtr& element) {
  switch (element->kind()) {
    case c10::TypeKind::TensorType: {
      c10::List<at::Tensor> list;
      forEachElement(env, value, "tensors",
                     [&](napi_value item) { list.push_back(unwrapTensor(env, item)); });
      return list;
    }
    case c10::TypeKind::OptionalType: {
      if (element->castRaw<c10::OptionalType>()->getElementType()->kind() != c10::TypeKind::TensorType) {
        throw std::invalid_argument("a list of " + element->str() + " cannot be passed");
      }
      c10::List<c10::optional<at::Tensor>> list;
      forEachElement(env, value, "tensors or null", [&](napi_value item) {
        if (isNullish(env, item)) {
          list.push_back(c10::optional<at::Tensor>());
        } else {
          list.push_back(unwrapTensor(env, item));
        }
      });
      return list;
    }
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return c10::List<int64_t>(toInts(env, value, "integers"));
    case c10::TypeKind::FloatType: {
      c10::List<double> list;
      forEachElement(env, value, "numbers",
                     [&](napi_value item) { list.push_back(toDouble(env, item, "a number")); });
      return list;
    }
    case c10::TypeKind::BoolType: {
      c10::List<bool> list;
      forEachElement(env, value, "booleans", [&](napi_value item) { list.push_back(toBool(env, item)); });
      return list;
    }
    case c10::TypeKind::NumberType: {
      c10::List<at::Scalar> list;
      forEachElement(env, value, "numbers", [&](napi_value item) { list.push_back(toScalar(env, item)); });
      return list;
    }
    default:
      throw std::invalid_argument("a list of " + element->str() + " cannot be passed");
  }
}

}  // namespace

bool isNullish(napi_env env, napi_value value) {
  napi_valuetype type = typeOf(env, value);
  return type == napi_undefined || type == napi_null;
}

double toDouble(napi_env env, napi_value value, const char* what) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok)
    throw std::invalid_argument(std::string("expected ") + what);
  return number;
}

int64_t toInt(napi_env env, napi_value value, const char* what) {
  double number = toDouble(env, value, what);
  if (std::trunc(number) != number || std::abs(number) > 9007199254740992.0) {
    throw std::invalid_argument(std::string("expected ") + what + ", an integer, not " +
                                std::to_string(number));
  }
  return static_cast<int64_t>(number);
}

bool toBool(napi_env env, napi_value value) {
  bool flag = false;
  if (napi_get_value_bool(env, value, &flag) != napi_ok) {
    throw std::invalid_argument("expected true or false");
  }
  return flag;
}

std::string toString(napi_env env, napi_value value, const char* what) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    throw std::invalid_argument(std::string("expected ") + what);
  }
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, text.data(), length + 1, &length);
  return text;
}

std::vector<int64_t> toInts(napi_env env, napi_value value, const char* what) {
  std::vector<int64_t> values;
  forEachElement(env, value, what, [&](napi_value item) { values.push_back(toInt(env, item, what)); });
  return values;
}

std::vector<at::Tensor> toTensors(napi_env env, napi_value value) {
  std::vector<at::Tensor> tensors;
  forEachElement(env, value, "tensors", [&](napi_value item) { tensors.push_back(unwrapTensor(env, item)); });
  return tensors;
}

c10::IValue toIValue(napi_env env, napi_value value, const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType:
      return unwrapTensor(env, value);
    case c10::TypeKind::OptionalType:
      if (isNullish(env, value)) return c10::IValue();
      return toIValue(env, value, type->castRaw<c10::OptionalType>()->getElementType());
    case c10::TypeKind::ListType:
      return toList(env, value, type->castRaw<c10::ListType>()->getElementType());
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return toInt(env, value, "an integer");
    case c10::TypeKind::FloatType:
      return toDouble(env, value, "a number");
    case c10::TypeKind::NumberType:
      return c10::IValue(toScalar(env, value));
    case c10::TypeKind::BoolType:
      return toBool(env, value);
    case c10::TypeKind::StringType:
      return toString(env, value, "a string");
    case c10::TypeKind::DeviceObjType:
      return toDevice(toString(env, value, "a device such as cpu or cuda:0"));
    default:
      throw std::invalid_argument("an argument of type " + type->str() + " cannot be passed");
  }
}

napi_value fromNumber(napi_env env, double value) {
  napi_value result;
  check(env, napi_create_double(env, value, &result), "cannot make a number");
  return result;
}

napi_value fromString(napi_env env, const std::string& value) {
  napi_value result;
  check(env, napi_create_string_utf8(env, value.c_str(), value.size(), &result), "cannot make a string");
  return result;
}

napi_value fromInts(napi_env env, at::IntArrayRef values) {
  napi_value array;
  check(env, napi_create_array_with_length(env, values.size(), &array), "cannot make an array");
  for (size_t i = 0; i < values.size(); i++) {
    check(env, napi_set_element(env, array, i, fromNumber(env, static_cast<double>(values[i]))),
          "cannot fill an array");
  }
  return array;
}

napi_value fromTensors(napi_env env, const std::vector<at::Tensor>& tensors) {
  napi_value array;
  check(env, napi_create_array_with_length(env, tensors.size(), &array), "cannot make an array");
  for (size_t i = 0; i < tensors.size(); i++) {
    check(env, napi_set_element(env, array, i, wrapTensor(env, tensors[i])), "cannot fill an array");
  }
  return array;
}

void setProperty(napi_env env, napi_value object, const char* name, napi_value value) {
  check(env, napi_set_named_property(env, object, name, value), "cannot set a property");
}

napi_value fromIValue(napi_env env, const c10::IValue& value) {
  if (value.isTensor()) {
    if (value.toTensor().defined()) return wrapTensor(env, value.toTensor());
  } else if (value.isTensorList()) {
    return fromTensors(env, value.toTensorVector());
  } else if (value.isInt()) {
    return fromNumber(env, static_cast<double>(value.toInt()));
  } else if (value.isDouble()) {
    return fromNumber(env, value.toDouble());
  } else if (value.isBool()) {
    napi_value result;
    check(env, napi_get_boolean(env, value.toBool(), &result), "cannot make a boolean");
    return result;
  } else if (value.isScalar()) {
    return fromNumber(env, value.toScalar().toDouble());
  } else if (!value.isNone()) {
    throw std::invalid_argument("a result of type " + value.tagKind() + " cannot be returned");
  }
  napi_value null;
  napi_get_null(env, &null);
  return null;
}

}  // namespace sqa
