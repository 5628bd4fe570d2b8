// SQA and counted noise for tensors on a CUDA device: checks, memory, and the start of the kernels.
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "cuda/cuda.h"
#include "cuda/kernels.h"

namespace sqa {
namespace {

// Ids on the device of the work; those on the CPU are checked there, and copied.
at::Tensor idsOn(const c10::Device& device, const at::Tensor& imageIds, int64_t images) {
  if (!imageIds.defined() || imageIds.is_cpu()) {
    checkImageIds(imageIds, images);
    return imageIds.to(device);
  }
  TORCH_CHECK(imageIds.scalar_type() == at::kLong && imageIds.dim() == 1 && imageIds.size(0) == images &&
                  imageIds.device() == device,
              "image ids must be int64 of shape [", images, "] on ", device, ", not ", imageIds.scalar_type(),
              " ", imageIds.sizes(), " on ", imageIds.device());
  return imageIds.contiguous();
}

// The key for work on a device; words on the CPU are read there.
cuda::Key keyOn(const c10::Device& device, const NoiseSource& noise) {
  if (!noise.words.defined() || noise.words.is_cpu()) return {keyOf(noise), nullptr};
  checkWords(noise.words);
  TORCH_CHECK(noise.words.device() == device, "the words of a seed must be on ", device, ", not on ",
              noise.words.device());
  return {noise.key, noise.words.data_ptr<int64_t>()};
}

// Elements of an image are counted in 32 bits, and eight beyond the last must not overflow.
void checkElements(int64_t elements) {
  TORCH_CHECK(elements < (1ll << 31), "an image must have fewer than 2^31 elements on a CUDA device, not ",
              elements);
}

at::Tensor extents(int64_t count, const at::Tensor& like) {
  const auto bytes = count * static_cast<int64_t>(sizeof(cuda::Extent));
  return at::empty({bytes}, at::TensorOptions().dtype(at::kByte).device(like.device()));
}

}  // namespace

bool hasCudaKernels() { return true; }

at::Tensor quantizeOnCuda(const at::Tensor& given, int64_t lambda, Range range, bool nearest,
                          const NoiseSource& noise, const at::Tensor& imageIds, const at::Tensor& uniforms) {
  const c10::cuda::CUDAGuard guard(given.device());
  TORCH_CHECK(!uniforms.defined() || uniforms.device() == given.device(), "uniforms must be on ",
              given.device(), " as the activations are, not on ", uniforms.device());
  const int64_t images = given.size(0), channels = given.size(1);
  if (given.numel() == 0) return given.clone();
  const int64_t elements = given.numel() / images, pixels = elements / channels;
  checkElements(elements);
  const bool channelsLast = given.dim() == 4 && channels % 2 == 0 && pixels > 1 && pixels % 4 == 0 &&
                            range != Range::channel && given.is_contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor h = channelsLast ? given : given.contiguous();
  at::Tensor y = at::empty_like(h);

  const cuda::Activations activations{
      h.data_ptr(),          y.data_ptr(),
      h.scalar_type() == at::kBFloat16, channelsLast,
      static_cast<uint32_t>(images),    static_cast<uint32_t>(channels),
      static_cast<uint32_t>(pixels)};
  cuda::Segments segments{1, images, elements};
  if (range == Range::channel) segments = {static_cast<uint32_t>(channels), images * channels, pixels};
  if (range == Range::batch) segments = {0, 1, images * elements};
  const uint32_t parts = cuda::partsOf(segments);
  TORCH_CHECK(segments.count * parts < (1ll << 31), "too many images and channels at once: ", segments.count);

  cuda::Rounding rounding{static_cast<float>(lambda), nullptr, nullptr, {}};
  at::Tensor ids, own;
  if (uniforms.defined()) {
    own = uniforms.contiguous();
    rounding.uniforms = own.data_ptr<float>();
  } else if (!nearest) {
    ids = idsOn(h.device(), imageIds, images);
    rounding.imageIds = ids.data_ptr<int64_t>();
    rounding.key = keyOn(h.device(), noise);
  }
  const at::Tensor found = extents(segments.count, h),
                   partial = extents(parts > 1 ? segments.count * parts : 0, h);
  C10_CUDA_CHECK(cuda::quantizeActivation(activations, segments, rounding,
                                          static_cast<cuda::Extent*>(found.data_ptr()),
                                          static_cast<cuda::Extent*>(partial.data_ptr()),
                                          c10::cuda::getCurrentCUDAStream().stream()));
  return y;
}

at::Tensor countedUniformOnCuda(const at::Tensor& imageIds, at::IntArrayRef shape, const NoiseSource& noise) {
  const c10::cuda::CUDAGuard guard(imageIds.device());
  const at::Tensor ids = idsOn(imageIds.device(), imageIds, imageIds.size(0));
  at::Tensor out = at::empty(shape, ids.options().dtype(at::kFloat));
  if (out.numel() == 0) return out;
  const int64_t elements = out.numel() / ids.size(0);
  checkElements(elements);
  C10_CUDA_CHECK(cuda::countedUniform(ids.data_ptr<int64_t>(), static_cast<uint32_t>(ids.size(0)),
                                      static_cast<uint32_t>(elements), keyOn(ids.device(), noise),
                                      out.data_ptr<float>(),
                                      c10::cuda::getCurrentCUDAStream().stream()));
  return out;
}

}  // namespace sqa
