"""Writes residual-variants.json: passes of residual networks in other forms than residual-networks.json.

    python test/golden/residual_variants.py

PreActResNet-18 takes a block's input for its shortcut, as RobustBench's PreActBlock does; ResNet-18 has
torchvision's stem for large images. Everything is computed in float64. First the script computes what
residual-networks.json holds of PreActResNet-18; it writes nothing when it does not get the same.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

HERE = Path(__file__).parent
MEAN = torch.tensor([0.4914, 0.4822, 0.4465], dtype=torch.float64).reshape(1, 3, 1, 1)
STD = torch.tensor([0.247, 0.2435, 0.2616], dtype=torch.float64).reshape(1, 3, 1, 1)
WORD = 0xFFFFFFFF


def units(name, count):
    """Numbers in [-0.5, 0.5) by name and index, as the test makes them."""
    start = 2166136261
    for byte in name.encode():
        start = ((start ^ byte) * 16777619) & WORD
    x = (torch.arange(1, count + 1, dtype=torch.int64) * 0x9E3779B1 + start) & WORD
    # The product overflows 64 bits, which leaves its low word as it is.
    x = ((x ^ (x >> 15)) * 0x85EBCA6B) & WORD
    return ((x ^ (x >> 13)) >> 8).to(torch.float64) * 2.0**-24 - 0.5


def value(name, shape):
    """A weight or buffer, rounded to float32 as the network holds it."""
    fan_in = torch.Size(shape[1:]).numel()
    if name.endswith("running_var"):
        scale, offset = 0.5, 1
    elif len(shape) == 4:
        scale, offset = 2 * (6 / fan_in) ** 0.5, 0
    elif len(shape) == 2:
        scale, offset = 4 / fan_in**0.5, 0
    else:
        scale, offset = 0.2, 0.6 if name.endswith("weight") else 0
    flat = scale * units(name, torch.Size(shape).numel()) + offset
    return flat.to(torch.float32).to(torch.float64).reshape(shape)


class Weights(dict):
    """Weights and buffers by name, made when they are first asked for."""

    def of(self, name, *shape):
        if name not in self:
            self[name] = value(name, shape)
            if "running" not in name:
                self[name].requires_grad_()
        return self[name]


class Network:
    def __init__(self, width, training):
        self.weights, self.width, self.training = Weights(), width, training

    def conv(self, name, h, out, kernel, stride=1):
        weight = self.weights.of(f"{name}.weight", out, h.shape[1], kernel, kernel)
        return F.conv2d(h, weight, stride=stride, padding=(kernel - 1) // 2)

    def norm(self, name, h):
        parts = ("running_mean", "running_var", "weight", "bias")
        mean, variance, weight, bias = (self.weights.of(f"{name}.{part}", h.shape[1]) for part in parts)
        return F.batch_norm(h, mean, variance, weight, bias, self.training)

    def linear(self, name, h):
        weight, bias = self.weights.of(f"{name}.weight", 10, h.shape[1]), self.weights.of(f"{name}.bias", 10)
        return F.linear(h, weight, bias)

    def stages(self, block, h):
        for stage in range(4):
            for index in range(2):
                stride = 2 if stage > 0 and index == 0 else 1
                h = block(f"layer{stage + 1}.{index}", h, self.width * 2**stage, stride)
        return h


class PreActResNet(Network):
    def __init__(self, shortcut, training):
        super().__init__(64, training)
        self.shortcut = shortcut

    def block(self, name, x, out, stride):
        active = F.relu(self.norm(f"{name}.bn1", x))
        h = self.conv(f"{name}.conv1", active, out, 3, stride)
        h = self.conv(f"{name}.conv2", F.relu(self.norm(f"{name}.bn2", h)), out, 3)
        if stride == 1 and x.shape[1] == out:
            return h + x
        return h + self.conv(f"{name}.shortcut.0", x if self.shortcut == "input" else active, out, 1, stride)

    def __call__(self, images):
        h = self.conv("conv1", (images - MEAN) / STD, self.width, 3)
        h = F.relu(self.norm("bn", self.stages(self.block, h)))
        return self.linear("linear", h.mean((2, 3)))


class ResNet(Network):
    def block(self, name, x, out, stride):
        h = F.relu(self.norm(f"{name}.bn1", self.conv(f"{name}.conv1", x, out, 3, stride)))
        h = self.norm(f"{name}.bn2", self.conv(f"{name}.conv2", h, out, 3))
        if stride != 1 or x.shape[1] != out:
            x = self.norm(f"{name}.downsample.1", self.conv(f"{name}.downsample.0", x, out, 1, stride))
        return F.relu(h + x)

    def __call__(self, images):
        h = F.relu(self.norm("bn1", self.conv("conv1", (images - MEAN) / STD, self.width, 7, 2)))
        h = self.stages(self.block, F.max_pool2d(h, 3, stride=2, padding=1))
        return self.linear("fc", h.mean((2, 3)))


def rounded(number):
    return float(f"{number:.9g}")


def summary(tensor):
    flat = tensor.detach().reshape(-1)
    return {
        "first": [rounded(x) for x in flat[:4].tolist()],
        "sum": rounded(flat.sum().item()),
        "norm": rounded(flat.norm().item()),
    }


def a_pass(text, network, side, gradients, buffers=()):
    images = (units("images", 2 * 3 * side * side) + 0.5).to(torch.float32).to(torch.float64)
    images = images.reshape(2, 3, side, side).requires_grad_()
    logits = network(images)
    loss = F.cross_entropy(logits, torch.tensor([3, 7]))
    loss.backward()
    made = {
        "network": text,
        "training": network.training,
        "side": side,
        "logits": [rounded(x) for x in logits.detach().reshape(-1).tolist()],
        "loss": loss.item(),
        "imageGradient": summary(images.grad),
        "gradients": {name: summary(network.weights[name].grad) for name in gradients},
    }
    if buffers:
        made["buffers"] = {name: summary(network.weights[name]) for name in buffers}
    return made


def check_against_published():
    """The activation's shortcut is in residual-networks.json, made by other code."""
    published = json.loads((HERE / "residual-networks.json").read_text())["passes"]
    known = next(one for one in published if one["network"] == "preact-resnet18")
    network = PreActResNet("activation", known["training"])
    own = a_pass("preact-resnet18", network, 16, known["gradients"])
    near = {"rtol": 1e-6, "atol": 1e-8}
    torch.testing.assert_close(own["logits"], known["logits"], **near)
    torch.testing.assert_close(own["loss"], known["loss"], **near)
    torch.testing.assert_close(own["imageGradient"], known["imageGradient"], **near)
    torch.testing.assert_close(own["gradients"], known["gradients"], **near)


BLOCKS = ("layer1.0.bn1.weight", "layer3.0.bn1.weight", "layer3.0.shortcut.0.weight")
PREACT = ("conv1.weight", *BLOCKS, "linear.weight")
RESNET = ("conv1.weight", "bn1.weight", "layer2.0.downsample.0.weight", "fc.weight")

if __name__ == "__main__":
    check_against_published()
    stem = "resnet18(width=8, stem=imagenet)"
    passes = [
        a_pass("preact-resnet18", PreActResNet("input", False), 16, PREACT),
        a_pass("preact-resnet18", PreActResNet("input", True), 16, PREACT, ["layer2.0.bn1.running_var"]),
        a_pass(stem, ResNet(8, False), 40, RESNET),
        a_pass(stem, ResNet(8, True), 40, RESNET, ["bn1.running_mean"]),
    ]
    version = torch.__version__.split("+")[0]
    made = {"source": f"test/golden/residual_variants.py, PyTorch {version} in float64", "passes": passes}
    (HERE / "residual-variants.json").write_text(json.dumps(made, indent=1) + "\n")
