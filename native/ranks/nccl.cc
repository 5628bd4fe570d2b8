// Devices of ranks, by NCCL's library that a CUDA libtorch brings along. Its headers are not part of
// libtorch, and libtorch's own functions of it ask for more of the CUDA toolkit than nvcc has: what NCCL 2
// promises to keep is declared here.
#include <ATen/DynamicLibrary.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <stdexcept>

#include "ranks/collectives.h"

namespace sqa {
namespace {

struct UniqueId {
  char bytes[128];
};
using Communicator = void*;
constexpr int kBytes = 0, kFloat32 = 7, kFloat64 = 8, kSum = 0;

class Nccl final : public Collectives {
 public:
  Nccl(Collectives& host, int64_t device)
      : place_(host.place()),
        device_(static_cast<c10::DeviceIndex>(device)),
        library_("libnccl.so.2", nullptr, true) {
    const c10::cuda::CUDAGuard guard(device_);
    int (*uniqueId)(UniqueId*);
    int (*init)(Communicator*, int, UniqueId, int);
    find("ncclGetUniqueId", uniqueId);
    find("ncclCommInitRank", init);
    find("ncclAllReduce", allReduce);
    find("ncclBroadcast", broadcast_);
    find("ncclGetErrorString", errorString);
    UniqueId id{};
    if (place_.rank == 0) succeed(uniqueId(&id), "ncclGetUniqueId");
    host.broadcast(at::from_blob(&id, {static_cast<int64_t>(sizeof id)}, at::kByte));
    succeed(init(&communicator_, place_.size, id, place_.rank), "ncclCommInitRank");
  }

  RankOf place() const override { return place_; }

  void sum(const at::Tensor& numbers) override {
    const int type = numbers.scalar_type() == at::kFloat ? kFloat32 : kFloat64;
    void* data = numbers.data_ptr();
    succeed(allReduce(data, data, static_cast<size_t>(numbers.numel()), type, kSum, communicator_,
                      streamOf(numbers)),
            "ncclAllReduce");
  }

  void broadcast(const at::Tensor& bytes) override {
    void* data = bytes.data_ptr();
    succeed(broadcast_(data, data, bytes.nbytes(), kBytes, 0, communicator_, streamOf(bytes)),
            "ncclBroadcast");
  }

  // The process ends, and what it holds of the device with it: NCCL asks that nothing of it be freed that
  // late.
  void leave(int) override {}

 private:
  // In the order of all other work on the device.
  cudaStream_t streamOf(const at::Tensor& tensor) const {
    TORCH_CHECK(tensor.device().index() == device_, "this rank's device is cuda:", static_cast<int>(device_),
                ", not ", tensor.device());
    return c10::cuda::getCurrentCUDAStream(device_).stream();
  }

  template <typename Function>
  void find(const char* name, Function& function) {
    function = reinterpret_cast<Function>(library_.sym(name));
  }

  void succeed(int result, const char* what) const {
    if (result != 0) throw std::runtime_error(std::string(what) + ": " + errorString(result));
  }

  RankOf place_;
  c10::DeviceIndex device_;
  at::DynamicLibrary library_;
  Communicator communicator_ = nullptr;
  int (*allReduce)(const void*, void*, size_t, int, int, Communicator, cudaStream_t);
  int (*broadcast_)(const void*, void*, size_t, int, int, Communicator, cudaStream_t);
  const char* (*errorString)(int);
};

}  // namespace

std::unique_ptr<Collectives> joinByNccl(Collectives& host, int64_t device) {
  return std::make_unique<Nccl>(host, device);
}

}  // namespace sqa
