#include "ranks/shared_batch.h"

#include <torch/csrc/autograd/custom_function.h>

#include "ranks/ranks.h"

namespace sqa {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Floats of a cache line: a tensor begins at a multiple of them in the buffer.
constexpr int64_t kAligned = 16;

// Statistics of each channel over all ranks, float64.
struct Statistics {
  at::Tensor mean;
  at::Tensor variance;
  // Values of a channel, one number: on a device it is never read back, which would wait for the device.
  at::Tensor count;
};

// By the law of total variance, of which each rank's part is exact: a difference of sums of squares would
// lose digits.
Statistics statisticsOf(const at::Tensor& input) {
  const int64_t channels = input.size(1);
  const double own = static_cast<double>(input.numel() / channels);
  // Without running statistics in float32 those of a bfloat16 input would be rounded to bfloat16.
  const at::Tensor running = at::zeros({2, channels}, input.options().dtype(at::kFloat));
  const auto [ownMean, ownVariance] = at::batch_norm_update_stats(input, running[0], running[1], 0);
  const at::Tensor mean = ownMean.to(at::kDouble);
  const at::Tensor square = ownVariance.to(at::kDouble) + mean * mean;
  const at::Tensor sums = at::cat({mean * own, square * own, at::full({1}, own, mean.options())});
  sumOverRanks(sums);
  const at::Tensor count = sums.slice(0, 2 * channels);
  const at::Tensor all = sums.slice(0, 0, 2 * channels) / count;
  const at::Tensor whole = all.slice(0, 0, channels);
  return {whole, (all.slice(0, channels) - whole * whole).clamp_min(0), count};
}

void follow(const at::Tensor& running, const at::Tensor& value, double momentum) {
  running.copy_(running.to(at::kDouble) * (1 - momentum) + value * momentum);
}

struct BatchNorm : torch::autograd::Function<BatchNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias, const Statistics& statistics, double epsilon) {
    const at::Tensor mean = statistics.mean.to(at::kFloat), variance = statistics.variance.to(at::kFloat);
    context->save_for_backward({input, weight, mean, variance, statistics.count});
    context->saved_data["epsilon"] = epsilon;
    return std::get<0>(at::native_batch_norm(input, weight, bias, mean, variance, false, 0, epsilon));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "batch normalization over ranks has no gradient of its gradient");
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3],
                     &count = saved[4];
    const double epsilon = context->saved_data["epsilon"].toDouble();
    // With the statistics held fixed; what they add by themselves depends on two sums over all images.
    auto [toInput, toWeight, toBias] = at::native_batch_norm_backward(
        gradients[0].contiguous(), input, weight, mean, variance, {}, {}, false, epsilon, {true, true, true});
    const int64_t channels = input.size(1);
    const at::Tensor sums = at::cat({toWeight, toBias}).to(at::kDouble);
    sumOverRanks(sums);
    const at::Tensor inverse = (variance.to(at::kDouble) + epsilon).rsqrt();
    const at::Tensor scale = weight.detach().to(at::kDouble) * inverse / count;
    const at::Tensor slope = scale * inverse * sums.slice(0, 0, channels);
    const at::Tensor offset = scale * sums.slice(0, channels) - slope * mean.to(at::kDouble);
    const auto perChannel = [&](const at::Tensor& value) {
      std::vector<int64_t> shape(static_cast<size_t>(input.dim()), 1);
      shape[1] = channels;
      return value.to(at::kFloat).reshape(shape);
    };
    if (input.scalar_type() == at::kFloat) {
      toInput.addcmul_(input, perChannel(slope), -1).sub_(perChannel(offset));
    } else {
      // Slope and offset cancel each other where the mean is large, so that neither may be rounded.
      toInput.copy_((toInput - input * perChannel(slope)).sub_(perChannel(offset)));
    }
    return {toInput, toWeight, toBias, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

std::vector<at::Tensor> sumTensors(const std::vector<at::Tensor>& tensors) {
  at::NoGradGuard guard;
  int64_t size = 0;
  std::vector<int64_t> places;
  for (const at::Tensor& tensor : tensors) {
    TORCH_CHECK(tensor.scalar_type() == at::kFloat && tensor.device() == tensors[0].device(),
                "ranks add up float32 on one device, not ", tensor.scalar_type(), " on ", tensor.device());
    places.push_back(size);
    size += (tensor.numel() + kAligned - 1) / kAligned * kAligned;
  }
  if (tensors.empty()) return {};
  const at::Tensor buffer = at::zeros({size}, tensors[0].options().requires_grad(false));
  std::vector<at::Tensor> views;
  for (size_t i = 0; i < tensors.size(); i++) {
    views.push_back(buffer.slice(0, places[i], places[i] + tensors[i].numel()).view(tensors[i].sizes()));
    views.back().copy_(tensors[i].detach());
  }
  sumOverRanks(buffer);
  return views;
}

at::Tensor sharedBatchNorm(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                           const at::Tensor& runningMean, const at::Tensor& runningVariance,
                           const BatchNormOptions& options) {
  TORCH_CHECK(input.dim() >= 2 && input.numel() > 0,
              "batch normalization over ranks takes images (N, C, ...), not ", input.sizes());
  Statistics statistics;
  {
    at::NoGradGuard guard;
    statistics = statisticsOf(input.detach());
    follow(runningMean, statistics.mean, options.momentum);
    follow(runningVariance, statistics.variance * (statistics.count / (statistics.count - 1)),
           options.momentum);
  }
  return BatchNorm::apply(input, weight, bias, statistics, options.epsilon);
}

}  // namespace sqa
