// For a build without kernels for CUDA: what needs them says so.
#include "cuda/cuda.h"
#include "ranks/collectives.h"

namespace sqa {
namespace {

[[noreturn]] void refuse(const char* what) {
  TORCH_CHECK(false, what,
              " on a CUDA device needs the addon's CUDA kernels, which were not compiled: setup found no "
              "CUDA libtorch or no nvcc (put nvcc on PATH and run npm run setup)");
  __builtin_unreachable();
}

}  // namespace

bool hasCudaKernels() { return false; }

at::Tensor quantizeOnCuda(const at::Tensor&, int64_t, Range, bool, const NoiseSource&, const at::Tensor&,
                          const at::Tensor&) {
  refuse("SQA");
}

at::Tensor countedUniformOnCuda(const at::Tensor&, at::IntArrayRef, const NoiseSource&) {
  refuse("counted noise");
}

void useOwnStream(int64_t) {}

std::unique_ptr<Graph> beginGraph(int64_t) { refuse("a graph"); }

std::unique_ptr<Collectives> joinByNccl(Collectives&, int64_t) { refuse("training of several ranks"); }

}  // namespace sqa
