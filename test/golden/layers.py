"""Writes layers.json beside it: what PyTorch's layers compute, forward and back, in float64.

    pip install torch==2.13.0
    python3 test/golden/layers.py

Numbers are sin(1.3 i + phase): phase 0 for the input, 1, 2, ... for the parameters in order. The loss is the sum
of the output times cos(i).
"""

import json
import math
from pathlib import Path

import torch
from torch import nn


def wave(shape, phase):
    sines = [math.sin(1.3 * i + phase) for i in range(math.prod(shape))]
    return torch.tensor(sines, dtype=torch.float64).reshape(shape)


CASES = []


def case(shape, torch_layer, name, *arguments):
    """Adds a layer: its input's shape, PyTorch's form, and its name and arguments as they are written in TypeScript."""
    CASES.append((name, arguments, torch_layer, shape))


image = [1, 2, 6, 5]
case([2, 4, 3, 4], nn.Conv2d(4, 6, 3, padding=1, groups=2), "Conv2d", 4, 6, 3, {"padding": 1, "groups": 2})
depthwise = {"padding": 1, "groups": 4, "bias": False}
case([1, 4, 4, 3], nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False), "Conv2d", 4, 4, 3, depthwise)
dilated = {"padding": 2, "dilation": 2}
case([1, 2, 5, 4], nn.Conv2d(2, 3, 3, padding=2, dilation=2), "Conv2d", 2, 3, 3, dilated)
pairs = {"stride": (2, 1), "padding": (0, 2), "dilation": (1, 2)}
case([1, 2, 5, 4], nn.Conv2d(2, 3, (2, 3), **pairs), "Conv2d", 2, 3, (2, 3), pairs)
case([2, 3], nn.Linear(3, 4, bias=False), "Linear", 3, 4, {"bias": False})
case([2, 3], nn.Linear(3, 4), "Linear", 3, 4, {})
case(image, nn.MaxPool2d(2), "MaxPool2d", 2)
case(image, nn.MaxPool2d(3, stride=2, padding=1), "MaxPool2d", 3, {"stride": 2, "padding": 1})
uneven = {"stride": 1, "dilation": (2, 1)}
case(image, nn.MaxPool2d((2, 3), **uneven), "MaxPool2d", (2, 3), uneven)
case(image, nn.AvgPool2d(2), "AvgPool2d", 2)
case(image, nn.AvgPool2d(3, stride=2, padding=1), "AvgPool2d", 3, {"stride": 2, "padding": 1})
pixels = {"stride": 2, "padding": 1, "countPadding": False}
case(image, nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False), "AvgPool2d", 3, pixels)
case([2, 2, 3, 4], nn.AdaptiveAvgPool2d(1), "AdaptiveAvgPool2d", 1)
case([1, 2, 5, 7], nn.AdaptiveAvgPool2d((2, 3)), "AdaptiveAvgPool2d", (2, 3))
case([2, 6], nn.LeakyReLU(), "LeakyReLU")
case([2, 6], nn.LeakyReLU(0.3), "LeakyReLU", 0.3)
case([2, 6], nn.GELU(), "GELU")
case([2, 6], nn.GELU(approximate="tanh"), "GELU", {"approximation": "tanh"})
case([2, 6], nn.SiLU(), "SiLU")
case([2, 6], nn.Sigmoid(), "Sigmoid")
case([2, 6], nn.Tanh(), "Tanh")
case([2, 4, 2, 3], nn.GroupNorm(2, 4), "GroupNorm", 2, 4)
case([2, 4, 3], nn.GroupNorm(1, 4, eps=0.1), "GroupNorm", 1, 4, {"epsilon": 0.1})
case([1, 4, 2, 3], nn.GroupNorm(4, 4), "GroupNorm", 4, 4)
case([2, 5], nn.LayerNorm(5), "LayerNorm", 5)
case([2, 2, 3, 4], nn.LayerNorm([3, 4], eps=0.01), "LayerNorm", (3, 4), {"epsilon": 0.01})


def numbers(tensor):
    return [float(f"{value:.10g}") for value in tensor.flatten().tolist()]


def record(name, arguments, layer, shape):
    layer = layer.double()
    parameters = dict(layer.named_parameters())
    with torch.no_grad():
        for phase, parameter in enumerate(parameters.values(), 1):
            parameter.copy_(wave(parameter.shape, phase))
    given = wave(shape, 0).requires_grad_()
    output = layer(given)
    cosines = [math.cos(i) for i in range(output.numel())]
    loss = (output.flatten() * torch.tensor(cosines, dtype=torch.float64)).sum()
    gradients = torch.autograd.grad(loss, [given, *parameters.values()])
    return {
        "layer": name,
        "arguments": arguments,
        "input": shape,
        "shape": list(output.shape),
        "output": numbers(output),
        "gradients": dict(zip(["input", *parameters], map(numbers, gradients))),
    }


source = f"PyTorch {torch.__version__} in float64, by layers.py"
lines = ",\n".join("  " + json.dumps(record(*made), separators=(",", ":")) for made in CASES)
text = f'{{\n "source": "{source}",\n "cases": [\n{lines}\n ]\n}}\n'
Path(__file__).with_name("layers.json").write_text(text)
