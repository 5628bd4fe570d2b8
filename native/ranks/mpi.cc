#include "ranks/mpi.h"

#include <ATen/DynamicLibrary.h>
#include <dlfcn.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace sqa {
namespace {

// What the MPI standard declares, as Open MPI has it: its handles are addresses of objects that the library exports.
using Handle = void*;
void* const kInPlace = reinterpret_cast<void*>(1);

// Sums in pieces: a count is an int, and the library needs memory as large as a piece.
constexpr int64_t kPiece = 1 << 24;

class Mpi {
 public:
  explicit Mpi(const std::string& library) {
    // Open MPI's plugins find the library's functions among the global ones alone. The loader's function is looked up, not linked:
    // its version would ask for a newer system than the rest of the addon does.
    using Open = void* (*)(const char*, int);
    at::DynamicLibrary process(nullptr, nullptr, true);
    if (reinterpret_cast<Open>(process.sym("dlopen"))(library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
      throw std::runtime_error("there is no " + library);
    }
    at::DynamicLibrary mpi(library.c_str(), nullptr, true);
    world = mpi.sym("ompi_mpi_comm_world");
    sum = mpi.sym("ompi_mpi_op_sum");
    float32 = mpi.sym("ompi_mpi_float");
    float64 = mpi.sym("ompi_mpi_double");
    byte = mpi.sym("ompi_mpi_byte");
    find(mpi, "MPI_Allreduce", allReduce);
    find(mpi, "MPI_Bcast", broadcast);
    find(mpi, "MPI_Finalize", finalize);
    find(mpi, "MPI_Abort", abort);
    find(mpi, "MPI_Init", init);
    find(mpi, "MPI_Comm_rank", rankOf);
    find(mpi, "MPI_Comm_size", sizeOf);
  }

  RankOf join() const {
    RankOf found;
    succeed(init(nullptr, nullptr), "MPI_Init");
    succeed(rankOf(world, &found.rank), "MPI_Comm_rank");
    succeed(sizeOf(world, &found.size), "MPI_Comm_size");
    return found;
  }

  template <typename Number>
  void sumAll(Number* numbers, int64_t count, Handle type) const {
    for (int64_t from = 0; from < count; from += kPiece) {
      const int piece = static_cast<int>(std::min(kPiece, count - from));
      succeed(allReduce(kInPlace, numbers + from, piece, type, sum, world), "MPI_Allreduce");
    }
  }

  void broadcastAll(char* bytes, int64_t count) const {
    for (int64_t from = 0; from < count; from += kPiece) {
      succeed(broadcast(bytes + from, static_cast<int>(std::min(kPiece, count - from)), byte, 0, world), "MPI_Bcast");
    }
  }

  void leave(int code) const {
    if (code == 0) {
      finalize();
    } else {
      abort(world, code);
    }
  }

  Handle float32, float64;

 private:
  template <typename Function>
  static void find(at::DynamicLibrary& mpi, const char* name, Function& function) {
    function = reinterpret_cast<Function>(mpi.sym(name));
  }

  static void succeed(int result, const char* what) {
    if (result != 0) throw std::runtime_error(std::string(what) + " failed with error " + std::to_string(result));
  }

  Handle world, sum, byte;
  int (*init)(int*, char***);
  int (*rankOf)(Handle, int*);
  int (*sizeOf)(Handle, int*);
  int (*allReduce)(const void*, void*, int, Handle, Handle, Handle);
  int (*broadcast)(void*, int, Handle, int, Handle);
  int (*finalize)();
  int (*abort)(Handle, int);
};

std::unique_ptr<Mpi> joined;

const Mpi& mpi() {
  if (joined == nullptr) throw std::logic_error("this process has joined no ranks");
  return *joined;
}

}  // namespace

RankOf joinRanks(const std::string& library) {
  if (joined != nullptr) throw std::logic_error("this process has joined its ranks already");
  auto opened = std::make_unique<Mpi>(library);
  const RankOf found = opened->join();
  joined = std::move(opened);
  return found;
}

void sumOverRanks(float* numbers, int64_t count) { mpi().sumAll(numbers, count, mpi().float32); }

void sumOverRanks(double* numbers, int64_t count) { mpi().sumAll(numbers, count, mpi().float64); }

void bytesOfFirstRank(void* bytes, int64_t count) { mpi().broadcastAll(static_cast<char*>(bytes), count); }

void leaveRanks(int code) {
  if (joined == nullptr) return;
  joined->leave(code);
  joined.reset();
}

}  // namespace sqa
