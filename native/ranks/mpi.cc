// Ranks that mpirun or srun started, by Open MPI, which is looked for when it is asked for: the addon is
// linked to none, so that it loads where there is none.
#include <ATen/DynamicLibrary.h>
#include <dlfcn.h>

#include <algorithm>
#include <stdexcept>

#include "ranks/collectives.h"

namespace sqa {
namespace {

// What the MPI standard declares, as Open MPI has it: its handles are addresses of objects that the library
// exports.
using Handle = void*;
void* const kInPlace = reinterpret_cast<void*>(1);

// Sums in pieces: a count is an int, and the library needs memory as large as a piece.
constexpr int64_t kPiece = 1 << 24;

class Mpi final : public Collectives {
 public:
  explicit Mpi(const std::string& library) {
    // Open MPI's plugins find the library's functions among the global ones alone. The loader's function is
    // looked up, not linked: its version would ask for a newer system than the rest of the addon does.
    using Open = void* (*)(const char*, int);
    at::DynamicLibrary process(nullptr, nullptr, true);
    if (reinterpret_cast<Open>(process.sym("dlopen"))(library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
      throw std::runtime_error("there is no " + library);
    }
    at::DynamicLibrary mpi(library.c_str(), nullptr, true);
    world = mpi.sym("ompi_mpi_comm_world");
    add = mpi.sym("ompi_mpi_op_sum");
    float32 = mpi.sym("ompi_mpi_float");
    float64 = mpi.sym("ompi_mpi_double");
    byte = mpi.sym("ompi_mpi_byte");
    find(mpi, "MPI_Allreduce", allReduce);
    find(mpi, "MPI_Bcast", bcast);
    find(mpi, "MPI_Finalize", finalize);
    find(mpi, "MPI_Abort", abort);
    find(mpi, "MPI_Init", init);
    find(mpi, "MPI_Comm_rank", rankOf);
    find(mpi, "MPI_Comm_size", sizeOf);
  }

  void join() {
    succeed(init(nullptr, nullptr), "MPI_Init");
    succeed(rankOf(world, &place_.rank), "MPI_Comm_rank");
    succeed(sizeOf(world, &place_.size), "MPI_Comm_size");
  }

  RankOf place() const override { return place_; }

  void sum(const at::Tensor& numbers) override {
    const Handle type = numbers.scalar_type() == at::kFloat ? float32 : float64;
    inPieces(numbers, numbers.numel(), [&](char* piece, int count) {
      succeed(allReduce(kInPlace, piece, count, type, add, world), "MPI_Allreduce");
    });
  }

  void broadcast(const at::Tensor& bytes) override {
    inPieces(bytes, static_cast<int64_t>(bytes.nbytes()), [&](char* piece, int count) {
      succeed(bcast(piece, count, byte, 0, world), "MPI_Bcast");
    });
  }

  void leave(int code) override {
    if (code == 0) {
      finalize();
    } else {
      abort(world, code);
    }
  }

 private:
  // Does work on pieces of a tensor, counted in whatever the whole is counted in.
  template <typename Work>
  static void inPieces(const at::Tensor& tensor, int64_t count, const Work& work) {
    char* start = static_cast<char*>(tensor.data_ptr());
    const int64_t width = static_cast<int64_t>(tensor.nbytes()) / count;
    for (int64_t from = 0; from < count; from += kPiece) {
      work(start + from * width, static_cast<int>(std::min(kPiece, count - from)));
    }
  }

  template <typename Function>
  static void find(at::DynamicLibrary& mpi, const char* name, Function& function) {
    function = reinterpret_cast<Function>(mpi.sym(name));
  }

  static void succeed(int result, const char* what) {
    if (result != 0)
      throw std::runtime_error(std::string(what) + " failed with error " + std::to_string(result));
  }

  RankOf place_{};
  Handle world, add, byte, float32, float64;
  int (*init)(int*, char***);
  int (*rankOf)(Handle, int*);
  int (*sizeOf)(Handle, int*);
  int (*allReduce)(const void*, void*, int, Handle, Handle, Handle);
  int (*bcast)(void*, int, Handle, int, Handle);
  int (*finalize)();
  int (*abort)(Handle, int);
};

}  // namespace

std::unique_ptr<Collectives> joinByMpi(const std::string& library) {
  auto mpi = std::make_unique<Mpi>(library);
  mpi->join();
  return mpi;
}

}  // namespace sqa
