"""Writes defenses.json: passes and gradients of defenses, by forms of their own.

    python test/golden/defenses.py

Draws come from Philox-4x32-10 by the key that docs/architecture.md says, written out here once more. SAP
counts the draws of each element one by one; random resizing goes through the pixels; thermometer codes are
cumulative sums of one-hot levels; binarized networks have signs as autograd functions. PixelDefend has masked
kernels, a whole pass for every channel of every pixel, and probabilities as differences of sigmoids. The
guided denoiser enlarges by torch.nn.functional.interpolate.
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


def masked(x, weight, bias, size):
    """Convolution whose kernel is the beginning of a centered one of `size`, zero behind."""
    rows, columns = weight.shape[2:]
    kernel = torch.zeros(*weight.shape[:2], *size, dtype=weight.dtype)
    kernel[:, :, :rows, :columns] = weight
    return torch.nn.functional.conv2d(x, kernel, bias, padding=(size[0] // 2, size[1] // 2))


def gate(x):
    values, gates = x.chunk(2, dim=1)
    return torch.tanh(values) * torch.sigmoid(gates)


def pixel_cnn(weights, layers, levels):
    """Numbers of every pixel's distribution, (N, numbers, H, W)."""
    names = lambda name: (weights[f"{name}.weight"], weights[f"{name}.bias"])
    pixels = levels * 2 / 255 - 1
    x = torch.cat([pixels, torch.ones_like(pixels[:, :1])], 1)
    rows, left = masked(x, *names("above"), (7, 7)), masked(x, *names("left"), (1, 7))
    for i in range(layers):
        tall = masked(rows, *names(f"layers.{i}.vertical"), (3, 3))
        wide = masked(left, *names(f"layers.{i}.horizontal"), (1, 3))
        wide = wide + masked(tall, *names(f"layers.{i}.link"), (1, 1))
        rows, left = rows + gate(tall), left + masked(gate(wide), *names(f"layers.{i}.mix"), (1, 1))
    elu = torch.nn.functional.elu
    hidden = elu(masked(elu(left), *names("hidden"), (1, 1)))
    return masked(hidden, *names("numbers"), (1, 1))


def level_probabilities(numbers, mixtures, channels, earlier):
    """Probabilities of a channel's levels 0 .. 255, given the pixel's earlier ones, of one pixel's numbers."""
    part = lambda place: numbers[place * mixtures : (place + 1) * mixtures]
    edges = (torch.arange(257, dtype=torch.float64) - 0.5) * 2 / 255 - 1
    edges[0], edges[256] = -float("inf"), float("inf")
    weight = torch.softmax(part(0), 0)
    for channel in range(len(earlier) + 1):
        mean = part(1 + channel).clone()
        for before in range(channel):
            coefficient = torch.tanh(part(1 + 2 * channels + channel * (channel - 1) // 2 + before))
            mean = mean + coefficient * (earlier[before] * 2 / 255 - 1)
        scale = part(1 + channels + channel).clamp(min=-7).exp()
        below = torch.sigmoid((edges - mean[:, None]) / scale[:, None])
        mass = below[:, 1:] - below[:, :-1]
        if channel == len(earlier):
            return (weight[:, None] * mass).sum(0) / weight.sum()
        weight = weight * mass[:, int(earlier[channel])]


def purify(weights, sizes, x, radius):
    levels = (x.detach() * 255).round()
    _, channels, height, width = levels.shape
    for image in levels:
        given = image.clone()
        for i in range(height):
            for j in range(width):
                for channel in range(channels):
                    numbers = pixel_cnn(weights, sizes["layers"], image[None])[0, :, i, j]
                    earlier = [float(image[c, i, j]) for c in range(channel)]
                    chances = level_probabilities(numbers, sizes["mixtures"], channels, earlier)
                    at = int(given[channel, i, j])
                    first, last = max(0, at - radius), min(255, at + radius)
                    best, second = chances[first : last + 1].log().topk(2).values
                    assert best - second > 1e-5, "a tie, which float32 may decide otherwise: take another seed"
                    image[channel, i, j] = first + int(chances[first : last + 1].argmax())
    return levels / 255


def pixel_defend(seed, radius, gradient):
    generator = torch.Generator().manual_seed(seed)
    sizes = {"channels": 2, "filters": 2, "layers": 2, "mixtures": 2}
    shapes = {"above": (2, 3, 3, 7), "left": (2, 3, 1, 3), "hidden": (4, 2, 1, 1), "numbers": (12, 4, 1, 1)}
    for i in range(2):
        shapes[f"layers.{i}.vertical"] = (4, 2, 2, 3)
        shapes[f"layers.{i}.link"] = (4, 4, 1, 1)
        shapes[f"layers.{i}.horizontal"] = (4, 2, 1, 2)
        shapes[f"layers.{i}.mix"] = (2, 2, 1, 1)
    density = {}
    for name, shape in shapes.items():
        density[f"{name}.weight"] = rounded(*shape, generator=generator)
        density[f"{name}.bias"] = rounded(shape[0], generator=generator)
    # Narrow logistics, so that no two levels are nearly as likely.
    density["numbers.bias"][6:10] -= 3
    x = rounded(2, 2, 4, 5, low=0, generator=generator)
    weight, bias = rounded(3, 40, generator=generator), rounded(3, generator=generator)
    v = rounded(2, 3, generator=generator)
    network = lambda x: linear(x.relu(), weight, bias)
    purified = purify(density, sizes, x, radius)
    through = lambda x: network(StraightThrough.apply(x, purified))
    return {
        "defense": f"pixel-defend(epsilon={radius}/255, gradient={gradient})",
        "part": {"option": "density", "sizes": sizes, "weights": {k: numbers(w) for k, w in density.items()}},
        "shape": [2, 4, 5],
        "images": numbers(x),
        "weights": {"fc.weight": numbers(weight), "fc.bias": numbers(bias)},
        "v": numbers(v),
        "own": pass_of((lambda x: network(purified)) if gradient == "none" else through, x, v),
        "straight-through": pass_of(through, x, v),
        "unpurified": pass_of(network, x, v),
    }


def guided_denoiser(generator):
    functional = torch.nn.functional
    blocks = {"whole": (2, 1, 1), "half": (1, 2, 2), "quarter": (2, 4, 2), "upHalf": (6, 2, 1), "upWhole": (3, 1, 1)}
    w = {}
    for block, (start, end, _) in blocks.items():
        for i, channels in ((1, start), (2, end)):
            w[f"{block}.conv{i}.weight"] = rounded(end, channels, 3, 3, generator=generator)
            for name in ("weight", "bias", "running_mean"):
                w[f"{block}.bn{i}.{name}"] = rounded(end, generator=generator)
            w[f"{block}.bn{i}.running_var"] = rounded(end, low=0.5, high=2, generator=generator)
    w["noise.weight"] = rounded(2, 1, 1, 1, generator=generator)
    w["noise.bias"] = rounded(2, generator=generator)
    x = rounded(2, 2, 6, 5, low=0, generator=generator)
    weight, bias = rounded(3, 60, generator=generator), rounded(3, generator=generator)
    v = rounded(2, 3, generator=generator)
    network = lambda x: linear(x.relu(), weight, bias)

    def block(name, x):
        for i, stride in ((1, blocks[name][2]), (2, 1)):
            x = functional.conv2d(x, w[f"{name}.conv{i}.weight"], padding=1, stride=stride)
            parts = [w[f"{name}.bn{i}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
            x = functional.batch_norm(x, *parts, training=False, eps=1e-5).relu()
        return x

    def larger(x, like):
        return functional.interpolate(x, like.shape[2:], mode="bilinear", align_corners=False)

    def denoise(x):
        whole = block("whole", x)
        half = block("half", whole)
        quarter = block("quarter", half)
        half = block("upHalf", torch.cat([larger(quarter, half), half], 1))
        whole = block("upWhole", torch.cat([larger(half, whole), whole], 1))
        return x + functional.conv2d(whole, w["noise.weight"], w["noise.bias"])

    return {
        "defense": "guided-denoiser",
        "part": {
            "option": "denoiser",
            "sizes": {"channels": 2, "width": 1},
            "weights": {name: numbers(value) for name, value in w.items()},
        },
        "shape": [2, 6, 5],
        "images": numbers(x),
        "weights": {"fc.weight": numbers(weight), "fc.bias": numbers(bias)},
        "v": numbers(v),
        "own": pass_of(lambda x: network(denoise(x)), x, v),
        "unpurified": pass_of(network, x, v),
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
        pixel_defend(1, 16, "straight-through"),
        pixel_defend(2, 100, "none"),
        guided_denoiser(torch.Generator().manual_seed(3)),
    ]
    key = {"low": SEED[0], "high": SEED[1], "draw": DRAW, "images": list(IMAGES)}
    text = json.dumps({"noise": key, "cases": cases}, separators=(",", ":"))
    (HERE / "defenses.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
