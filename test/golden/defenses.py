"""Writes defenses.json: passes and gradients of defenses, by forms of their own.

    python test/golden/defenses.py

Draws come from Philox-4x32-10 by the key that docs/architecture.md says, written out here once more. SAP
counts the draws of each element one by one; random resizing goes through the pixels; thermometer codes are
cumulative sums of one-hot levels; binarized networks have signs as autograd functions.
"""

import json
from pathlib import Path

import torch

HERE = Path(__file__).parent
WORD = 0xFFFFFFFF
SEED = (0x12345678, 0x9ABCDEF0)
DRAW = 3
IMAGES = (7, 8)
# Stream of the only transform in a network of itself and three or four layers: 2^29 and its place.
STREAM = 2**29


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & WORD, (a >> 32) ^ c[3] ^ k[1], a & WORD]
        k = [(k[0] + 0x9E3779B9) & WORD, (k[1] + 0xBB67AE85) & WORD]
    return c


def uniforms(image, place, count):
    words = []
    for block in range((count + 3) // 4):
        words += philox((block, image, DRAW, STREAM + place), SEED)
    return [(word >> 8) * 2.0**-24 for word in words[:count]]


def rounded(*shape, low=-1.0, high=1.0, generator):
    values = torch.rand(shape, generator=generator, dtype=torch.float64) * (high - low) + low
    return (values * 256).round() / 256


def linear(x, weight, bias):
    return x.flatten(1) @ weight.T + bias


def numbers(value):
    return [float(v) for v in value.detach().flatten()]


def pass_of(function, x, v):
    x = x.clone().requires_grad_()
    logits = function(x)
    gradient = torch.zeros_like(x)
    if logits.requires_grad:
        (found,) = torch.autograd.grad((logits * v).sum(), x, allow_unused=True)
        gradient = gradient if found is None else found
    return {"logits": numbers(logits), "gradient": numbers(gradient)}


class StraightThrough(torch.autograd.Function):
    """Values of one function, gradient of another's argument."""

    @staticmethod
    def forward(_, x, values):
        return values.clone()

    @staticmethod
    def backward(_, gradient):
        return gradient, None


def sap(generator, samples):
    x = rounded(2, 2, 3, 4, generator=generator)
    weight, bias = rounded(3, 24, generator=generator), rounded(3, generator=generator)
    v = rounded(2, 3, generator=generator)
    draws = max(1, round(samples * 24))

    def factors(active):
        rows = []
        for image, row in zip(IMAGES, active.detach().flatten(1).tolist()):
            total, counts = sum(row), [0] * len(row)
            for u in uniforms(image, 4, draws):
                left = u * total
                for i, size in enumerate(row):
                    if left < size:
                        counts[i] += 1
                        break
                    left -= size
            rows.append(
                [1 / (1 - (1 - a / total) ** draws) if count else 0.0 for a, count in zip(row, counts)]
            )
        return torch.tensor(rows, dtype=torch.float64).reshape(active.shape)

    def own(x):
        active = x.relu()
        return linear(active * factors(active), weight, bias)

    def identity(x):
        active = x.relu()
        return linear(StraightThrough.apply(active, active * factors(active)), weight, bias)

    return {
        "defense": f"sap(samples={samples})",
        "shape": [2, 3, 4],
        "images": numbers(x),
        "weights": {"fc.weight": numbers(weight), "fc.bias": numbers(bias)},
        "v": numbers(v),
        "own": pass_of(own, x, v),
        "straight-through": pass_of(identity, x, v),
        "noise-free": pass_of(lambda x: linear(x.relu(), weight, bias), x, v),
    }


def shown(x, shrink, top, left):
    """An image (C, H, W) made smaller by nearest pixels, on zeros at (top, left)."""
    _, height, width = x.shape
    out = [[None] * width for _ in range(height)]
    for i in range(height - shrink):
        for j in range(width - shrink):
            out[top + i][left + j] = x[:, i * height // (height - shrink), j * width // (width - shrink)]
    zero = torch.zeros_like(x[:, 0, 0])
    return torch.stack([torch.stack([zero if p is None else p for p in row], 1) for row in out], 1)


def resize(generator, shrink):
    x = rounded(2, 2, 7, 9, low=0, generator=generator)
    weight, bias = rounded(3, 126, generator=generator), rounded(3, generator=generator)
    v = rounded(2, 3, generator=generator)

    def own(x):
        images = []
        for image, pixels in zip(IMAGES, x):
            u = uniforms(image, 4, 3)
            by = int(u[0] * (shrink + 1))
            images.append(shown(pixels, by, int(u[1] * (by + 1)), int(u[2] * (by + 1))))
        return linear(torch.stack(images).relu(), weight, bias)

    def mean(x):
        images = []
        for pixels in x:
            total = 0
            for by in range(shrink + 1):
                share = 1 / (shrink + 1) / (by + 1) ** 2
                for top in range(by + 1):
                    for left in range(by + 1):
                        total = total + share * shown(pixels, by, top, left)
            images.append(total)
        return linear(torch.stack(images).relu(), weight, bias)

    return {
        "defense": f"random-resize-pad(shrink={shrink})",
        "shape": [2, 7, 9],
        "images": numbers(x),
        "weights": {"fc.weight": numbers(weight), "fc.bias": numbers(bias)},
        "v": numbers(v),
        "own": pass_of(own, x, v),
        "noise-free": pass_of(mean, x, v),
    }


def code_of(x, levels):
    level = (0.99999 * x.detach().clamp(0, 1) * levels).floor().long()
    one_hot = torch.nn.functional.one_hot(level, levels).to(torch.float64)
    # Level i has ones up to i: the sum from the end.
    code = one_hot.flip(-1).cumsum(-1).flip(-1)
    images, channels, height, width = x.shape
    return code.permute(0, 1, 4, 2, 3).reshape(images, channels * levels, height, width)


def thermometer(generator, levels, gradient):
    x = rounded(2, 2, 4, 5, low=0, generator=generator)
    kernel = rounded(3, 2 * levels, 3, 3, generator=generator)
    shift = rounded(3, generator=generator)
    weight, bias = rounded(3, 60, generator=generator), rounded(3, generator=generator)
    v = rounded(2, 3, generator=generator)

    def network(code):
        hidden = torch.nn.functional.conv2d(code, kernel, shift, padding=1)
        return linear(hidden.relu(), weight, bias)

    def through(x):
        steps = torch.arange(levels, dtype=torch.float64).reshape(1, 1, levels, 1, 1)
        ramp = (x.unsqueeze(2) * levels - steps).clamp(0, 1).flatten(1, 2)
        return network(StraightThrough.apply(ramp, code_of(x, levels)))

    blocked = lambda x: network(code_of(x, levels))
    return {
        "defense": f"thermometer(levels={levels}, gradient={gradient})",
        "shape": [2, 4, 5],
        "images": numbers(x),
        "weights": {
            "conv.weight": numbers(kernel),
            "conv.bias": numbers(shift),
            "fc.weight": numbers(weight),
            "fc.bias": numbers(bias),
        },
        "v": numbers(v),
        "own": pass_of(blocked if gradient == "none" else through, x, v),
        "straight-through": pass_of(through, x, v),
    }


class Sign(torch.autograd.Function):
    """Sign forward, hard tanh backward."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(context, gradient):
        (x,) = context.saved_tensors
        return gradient * (x.abs() <= 1)


def binarized(generator):
    x = rounded(2, 2, 4, 5, low=0, generator=generator)
    kernel = rounded(3, 2, 3, 3, generator=generator)
    shift = rounded(3, low=-2, high=2, generator=generator)
    weight, bias = rounded(3, 60, generator=generator), rounded(3, generator=generator)
    v = rounded(2, 3, generator=generator)

    def network(x, binary):
        hidden = torch.nn.functional.conv2d(x, binary(kernel), shift, padding=1)
        return linear(Sign.apply(hidden), binary(weight), bias)

    signs = lambda w: torch.where(w >= 0, 1.0, -1.0).to(w.dtype)
    return {
        "defense": "binarized-network",
        "shape": [2, 4, 5],
        "images": numbers(x),
        "weights": {
            "conv.weight": numbers(kernel),
            "conv.bias": numbers(shift),
            "fc.weight": numbers(weight),
            "fc.bias": numbers(bias),
        },
        "v": numbers(v),
        "own": pass_of(lambda x: network(x, signs), x, v),
        "noise-free": pass_of(lambda x: network(x, lambda w: w.clamp(-1, 1)), x, v),
    }


def main():
    generator = torch.Generator().manual_seed(0)
    cases = [
        sap(generator, 1),
        sap(generator, 0.25),
        resize(generator, 1),
        resize(generator, 3),
        thermometer(generator, 16, "straight-through"),
        thermometer(generator, 5, "none"),
        binarized(generator),
    ]
    key = {"low": SEED[0], "high": SEED[1], "draw": DRAW, "images": list(IMAGES)}
    text = json.dumps({"noise": key, "cases": cases}, separators=(",", ":"))
    (HERE / "defenses.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
