"""Square attack in the l-infinity ball (Andriushchenko et al. 2020, algorithm 2), as AutoAttack runs it."""

import torch


def margins(network, images, labels):
    """The label's logit less the best other: misclassified where it is not above 0."""
    logits = network.logits(images)
    own = logits.gather(1, labels.unsqueeze(1)).squeeze(1)
    others = logits.scatter(1, labels.unsqueeze(1), float("-inf")).amax(1)
    return own - others


def share(iteration, initial=0.8):
    """The share of the pixels that a square changes; it halves after these iterations."""
    return initial / 2 ** sum(iteration > last for last in (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000))


def signs(*shape):
    return 2.0 * torch.randint(0, 2, shape) - 1


@torch.no_grad()
def square(network, images, labels, epsilon, queries):
    """Each iteration moves one square, in the same place for all images that are left, where that lowers the margin."""
    count, channels, height, width = images.shape
    best = (images + epsilon * signs(count, channels, 1, width)).clamp(0, 1)
    lowest = margins(network, best, labels)
    for iteration in range(1, queries):
        left = (lowest > 0).nonzero().flatten()
        if len(left) == 0:
            break
        clean, current, before = images[left], best[left], lowest[left]
        side = max(round((share(iteration) * height * width) ** 0.5), 1)
        top = torch.randint(0, height - side + 1, ()).item()
        start = torch.randint(0, width - side + 1, ()).item()
        delta = torch.zeros(channels, height, width)
        delta[:, top : top + side, start : start + side] = 2 * epsilon * signs(channels, 1, 1)
        candidates = torch.min(torch.max(current + delta, clean - epsilon), clean + epsilon).clamp(0, 1)
        now = margins(network, candidates, labels[left])
        better = (now < before).to(candidates.dtype)
        lowest[left] = better * now + (1 - better) * before
        column = better.reshape(-1, 1, 1, 1)
        best[left] = column * candidates + (1 - column) * current
    return best
