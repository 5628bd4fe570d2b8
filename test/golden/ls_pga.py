"""Writes ls-pga.json: images of LS-PGA on a thermometer's code, by a form of its own.

    python test/golden/ls_pga.py

Logits go through PyTorch's softmax and sums of all levels above by automatic differentiation. The levels
that a ball allows come of trying: a fine grid of the pixels of each level. Noise comes from Philox-4x32-10.
"""

import json
import math
from pathlib import Path

import torch
from defenses import IMAGES, SEED, WORD, linear, numbers, philox, rounded

HERE = Path(__file__).parent
SCALE = 0.99999
GRID = 4001


def uniforms(image, stream, count):
    words = []
    for block in range((count + 3) // 4):
        words += philox((block, image, 0, stream & WORD), SEED)
    return [(word >> 8) * 2.0**-24 for word in words[:count]]


def normals(image, count):
    first, second = uniforms(image, 0, count), uniforms(image, 2**31, count)
    pairs = zip(first, second)
    return [math.sqrt(-2 * math.log(1 - a)) * math.cos(2 * math.pi * b) for a, b in pairs]


def allowed(x, epsilon, levels):
    """Nearest pixel of each level within the ball; None where no pixel of a fine grid has the level."""
    found = [None] * levels
    low, high = max(0.0, x - epsilon), min(1.0, x + epsilon)
    for i in range(GRID):
        pixel = low + (high - low) * i / (GRID - 1)
        level = min(levels - 1, math.floor(SCALE * levels * pixel))
        if found[level] is None or abs(pixel - x) < abs(found[level] - x):
            found[level] = pixel
    found[math.floor(SCALE * levels * x)] = x
    return found


def attacked(network, x, labels, levels, options):
    flat = x.flatten().tolist()
    choices = [allowed(pixel, options["epsilon"], levels) for pixel in flat]
    images, channels, height, width = x.shape
    # (N, C, H, W, levels), so that the last axis is that of the choice.
    mask = torch.tensor([[c is not None for c in row] for row in choices]).reshape(*x.shape, levels)
    if options["randomStart"]:
        count = channels * levels * height * width
        rows = [torch.tensor(normals(image, count), dtype=torch.float64) for image in IMAGES]
        start = torch.stack(rows).reshape(images, channels, levels, height, width).permute(0, 1, 3, 4, 2)
    else:
        start = torch.zeros(mask.shape, dtype=torch.float64)
    logits, inverse = start.clone(), 1.0
    for _ in range(options["steps"]):
        logits.requires_grad_()
        weights = (inverse * logits).masked_fill(~mask, -math.inf).softmax(-1)
        # Level i of a relaxed code is the weight of all levels from i on.
        code = torch.stack([weights[..., i:].sum(-1) for i in range(levels)], 2).flatten(1, 2)
        loss = torch.nn.functional.cross_entropy(network(code), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, logits)
        step = gradient.sign() if options["step"] == "sign" else gradient
        logits = (logits + options["logitStep"] * step).detach()
        inverse *= options["cooling"]
    best = logits.masked_fill(~mask, -math.inf)
    # A choice between two levels that rounding could turn over says nothing.
    top = best.topk(2, -1).values
    assert ((top[..., 0] - top[..., 1]) > 1e-4).all()
    levels_found = best.argmax(-1).flatten().tolist()
    return levels_found, [row[level] for row, level in zip(choices, levels_found)]


def case(generator, levels, **options):
    x = rounded(2, 2, 4, 5, low=0, generator=generator)
    kernel = rounded(3, 2 * levels, 3, 3, generator=generator)
    shift = rounded(3, generator=generator)
    weight, bias = rounded(3, 60, generator=generator), rounded(3, generator=generator)
    labels = torch.tensor([2, 0])

    def network(code):
        return linear(torch.nn.functional.conv2d(code, kernel, shift, padding=1).tanh(), weight, bias)

    found, pixels = attacked(network, x, labels, levels, options)
    return {
        "levels": levels,
        "options": options,
        "images": numbers(x),
        "labels": labels.tolist(),
        "weights": {
            "conv.weight": numbers(kernel),
            "conv.bias": numbers(shift),
            "fc.weight": numbers(weight),
            "fc.bias": numbers(bias),
        },
        "found": found,
        "pixels": pixels,
    }


def main():
    generator = torch.Generator().manual_seed(5)
    plain = {"logitStep": 1, "cooling": 1.2, "step": "gradient"}
    cases = [
        case(generator, 16, epsilon=0.3, steps=7, randomStart=True, **plain),
        case(generator, 5, epsilon=0.15, steps=4, randomStart=True, **{**plain, "cooling": 1}),
        case(generator, 8, epsilon=0.2, steps=3, randomStart=True, **{**plain, "step": "sign"}),
        case(generator, 6, epsilon=0.26, steps=2, randomStart=False, **{**plain, "logitStep": 20}),
    ]
    noise = {"low": SEED[0], "high": SEED[1], "images": list(IMAGES)}
    text = json.dumps({"noise": noise, "cases": cases}, separators=(",", ":"))
    (HERE / "ls-pga.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
