"""Auto-PGD in the l-infinity ball and its targeted form (Croce and Hein 2020, algorithm 1), as AutoAttack runs them."""

import torch
import torch.nn.functional as F


def cross_entropy(logits, labels, _):
    return F.cross_entropy(logits, labels, reduction="none")


def targeted_dlr(logits, labels, targets):
    """Difference of logits ratio towards a class (equation 7)."""
    ascending = logits.sort(dim=1).values
    rows = torch.arange(len(labels))
    spread = ascending[:, -1] - 0.5 * (ascending[:, -3] + ascending[:, -4]) + 1e-12
    return -(logits[rows, labels] - logits[rows, targets]) / spread


def checkpoints(steps):
    """The steps after which step sizes are looked at (section 3)."""
    interval, least, shorter = (max(int(share * steps), 1) for share in (0.22, 0.06, 0.03))
    at = interval
    while at <= steps:
        yield at
        interval = max(interval - shorter, least)
        at += interval


def climb(network, loss, images, labels, targets, epsilon, steps):
    """One run, all of it on all the images: each image's last misclassified candidate, else the image as it was."""

    def project(points):
        return torch.min(torch.max(points, images - epsilon), images + epsilon).clamp(0, 1)

    def look(points):
        points = points.detach().requires_grad_()
        logits = network.logits(points)
        losses = loss(logits, labels, targets)
        network.backward += len(points)
        (gradient,) = torch.autograd.grad(losses.sum(), points)
        return gradient, losses.detach(), logits.detach().argmax(1) != labels

    noise = 2 * torch.rand_like(images) - 1
    points = (images + epsilon * noise / noise.abs().amax((1, 2, 3), keepdim=True)).clamp(0, 1)
    previous, best, found = points.clone(), points.clone(), images.clone()
    gradient, losses, fooled = look(points)
    found[fooled] = points[fooled]
    any_fooled = fooled
    best_gradient, best_losses, last_losses = gradient.clone(), losses.clone(), losses
    sizes = torch.full((len(images), 1, 1, 1), 2 * epsilon)
    rises = torch.zeros_like(losses)
    best_at_check, halved_at_check = best_losses.clone(), torch.ones_like(fooled)
    checks, last_check = list(checkpoints(steps)), 0
    for step in range(steps):
        weight = 0.75 if step > 0 else 1.0
        momentum = points - previous
        previous = points
        ahead = project(points + sizes * gradient.sign())
        points = project(points + (ahead - points) * weight + momentum * (1 - weight))
        gradient, losses, fooled = look(points)
        found[fooled] = points[fooled]
        any_fooled = any_fooled | fooled
        better = (losses > best_losses).nonzero().flatten()
        best[better] = points[better]
        best_gradient[better] = gradient[better]
        best_losses[better] = losses[better]
        rises += losses > last_losses
        last_losses = losses
        if step + 1 not in checks:
            continue
        oscillates = rises <= 0.75 * (step + 1 - last_check)
        stuck = ~halved_at_check & (best_at_check >= best_losses)
        halved = oscillates | stuck
        halved_at_check, best_at_check, last_check = halved, best_losses.clone(), step + 1
        rises.zero_()
        sizes[halved] /= 2
        points = points.clone()
        points[halved] = best[halved]
        gradient[halved] = best_gradient[halved]
    return found, any_fooled


def apgd_ce(network, images, labels, epsilon, steps):
    found, _ = climb(network, cross_entropy, images, labels, None, epsilon, steps)
    return found


def apgd_t(network, images, labels, epsilon, steps, targets):
    """A run towards each of the likeliest other classes, each on what the runs before have left."""
    found = images.clone()
    left = torch.arange(len(images))
    for place in range(2, targets + 2):
        if len(left) == 0:
            break
        with torch.no_grad():
            classes = network.logits(images[left]).sort(dim=1).indices[:, -place]
        points, fooled = climb(network, targeted_dlr, images[left], labels[left], classes, epsilon, steps)
        found[left[fooled]] = points[fooled]
        left = left[~fooled]
    return found
