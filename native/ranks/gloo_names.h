// Names of Gloo's that libtorch's ProcessGroupGloo.hpp mentions. libtorch has Gloo inside, but comes without
// its headers. Nothing here is called or laid out: the class holds these by pointers, and all of its work
// lies in libtorch.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace gloo {

struct Context {
  void setTimeout(std::chrono::milliseconds);
};

namespace rendezvous {
struct Store {
  static constexpr std::chrono::milliseconds kDefaultTimeout{};
  virtual ~Store();
  virtual void set(const std::string&, const std::vector<char>&) = 0;
  virtual std::vector<char> get(const std::string&) = 0;
  virtual void wait(const std::vector<std::string>&) = 0;
  virtual void wait(const std::vector<std::string>&, const std::chrono::milliseconds&) = 0;
};
}  // namespace rendezvous

namespace transport {
class Device;
class UnboundBuffer;
}  // namespace transport

}  // namespace gloo
