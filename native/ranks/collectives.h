// What ranks do together. Each library that can do it has a file: Open MPI (mpi.cc) and libtorch's Gloo
// (gloo.cc) on CPUs, NCCL (nccl.cc) on CUDA devices. ranks.cc chooses.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>

namespace sqa {

struct RankOf {
  int rank;
  int size;
};

// All ranks make the same calls in the same order. Tensors are contiguous, and lie where the library works.
class Collectives {
 public:
  virtual ~Collectives() = default;
  virtual RankOf place() const = 0;
  // Sums float32 or float64 over all ranks, in place: each rank is left with the same bits.
  virtual void sum(const at::Tensor& numbers) = 0;
  // Brings the first rank's bytes to all.
  virtual void broadcast(const at::Tensor& bytes) = 0;
  // Leaves: with a code of 0 when all do, with another at once; the other ranks end too, or fail at their
  // next call.
  virtual void leave(int code) = 0;
};

// Joins by the library of that name or path; throws where it is none of Open MPI's.
std::unique_ptr<Collectives> joinByMpi(const std::string& library);

// The place where ranks meet, as torchrun says.
struct Meeting {
  std::string host;
  int port;
  // This process serves there; torchrun may do so itself.
  bool serves;
  // Tells this meeting from others at the same place.
  std::string name;
  // Address by which the other ranks reach this one, the host's own where empty; or its interface.
  std::string address;
  std::string interface;
};

// Joins by Gloo, which builds against a libtorch without it refuse.
std::unique_ptr<Collectives> joinByGloo(const Meeting& meeting, RankOf place);

// Joins the devices of ranks by NCCL; builds without CUDA kernels refuse.
std::unique_ptr<Collectives> joinByNccl(Collectives& host, int64_t device);

}  // namespace sqa
