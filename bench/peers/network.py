"""The paper's vanilla CNN and SQA as a user of PyTorch writes them: functions of a dictionary of weights."""

import torch
import torch.nn.functional as F


class SQA(torch.autograd.Function):
    """Stochastic Quantized Activation (Algorithm 1): range of each image, lambda + 1 levels, straight-through gradient."""

    @staticmethod
    def forward(ctx, h, steps, floor):
        low = h.amin((1, 2, 3), keepdim=True)
        scale = (h.amax((1, 2, 3), keepdim=True) - low).clamp_min(1e-12)
        v = (h - low) / scale * steps
        if floor:
            q = (v + torch.rand_like(v)).floor().clamp(max=steps)
        else:
            q = v.floor()
            q = q + torch.bernoulli((v - q).clamp(0, 1))
        return q / steps * scale + low

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None, None


def logits(weights, images, activation, channels_last, training=False):
    """Logits (N, 10) of images (N, 1, 28, 28), alike in training; `activation` is relu, sqa-bernoulli or sqa-floor."""
    h = images
    for block, steps in ((1, 1), (2, 2), (3, None)):
        h = F.conv2d(h, weights[f"conv{block}.weight"], weights[f"conv{block}.bias"], padding=1)
        if channels_last and block == 1:
            # The layout of a one-channel input is not seen: without this the first block runs in NCHW.
            h = h.contiguous(memory_format=torch.channels_last)
        h = F.relu(h)
        if activation != "relu" and steps is not None:
            h = SQA.apply(h, steps, activation == "sqa-floor")
        h = F.max_pool2d(h, 2)
    h = F.relu(F.linear(h.flatten(1), weights["fc1.weight"], weights["fc1.bias"]))
    return F.linear(h, weights["fc2.weight"], weights["fc2.bias"])
