"""ResNet-18 in CIFAR form (He et al. 2016) and SQA in it, as a user of PyTorch writes them: functions of weights by torchvision's names."""

import torch
import torch.nn.functional as F

from network import SQA

# Of CIFAR-10's training images, by channel.
MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).reshape(1, 3, 1, 1)
DEVIATION = torch.tensor([0.247, 0.2435, 0.2616]).reshape(1, 3, 1, 1)


def normalize(weights, name, h, training):
    mean, variance = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
    return F.batch_norm(h, mean, variance, weights[f"{name}.weight"], weights[f"{name}.bias"], training)


def basic_block(weights, name, h, stride, training):
    inner = F.conv2d(h, weights[f"{name}.conv1.weight"], stride=stride, padding=1)
    inner = F.relu(normalize(weights, f"{name}.bn1", inner, training))
    inner = F.conv2d(inner, weights[f"{name}.conv2.weight"], padding=1)
    inner = normalize(weights, f"{name}.bn2", inner, training)
    if f"{name}.downsample.0.weight" in weights:
        h = F.conv2d(h, weights[f"{name}.downsample.0.weight"], stride=stride)
        h = normalize(weights, f"{name}.downsample.1", h, training)
    return F.relu(inner + h)


def logits(weights, images, activation, channels_last, training=False):
    """Logits (N, 10) of images (N, 3, 32, 32) in [0, 1]; `activation` is relu, sqa-bernoulli or sqa-floor."""

    def quantize(h, steps):
        return h if activation == "relu" else SQA.apply(h, steps, activation == "sqa-floor")

    h = (images - MEAN) / DEVIATION
    if channels_last:
        h = h.contiguous(memory_format=torch.channels_last)
    h = F.conv2d(h, weights["conv1.weight"], padding=1)
    h = quantize(F.relu(normalize(weights, "bn1", h, training)), 1)
    for stage in (1, 2, 3, 4):
        for block in (0, 1):
            stride = 2 if stage > 1 and block == 0 else 1
            h = quantize(basic_block(weights, f"layer{stage}.{block}", h, stride, training), 2)
    return F.linear(h.mean((2, 3)), weights["fc.weight"], weights["fc.bias"])
