"""Targeted FAB in the l-infinity norm (Croce and Hein 2020), as AutoAttack runs it."""

import torch


def project(points, normals, offsets):
    """The shortest l-infinity steps that lead points (N, D) in [0, 1] to hyperplanes inside [0, 1] (section 2.2).

    By sorting how far pixels can go: with those that have less room full, the others share what is left.
    """
    excess = (normals * points).sum(1, keepdim=True) - offsets.unsqueeze(1)
    direction = -normals.sign() * excess.sign()
    room, order = torch.where(direction > 0, 1 - points, points).sort(dim=1)
    weights = normals.abs().gather(1, order)
    full = (weights * room).cumsum(1)
    moving = weights.sum(1, keepdim=True) - weights.cumsum(1)
    # The most that is gained when every pixel moves by the room of the k-th.
    gains = full + moving * room
    places = (gains < excess.abs()).sum(1, keepdim=True)
    reachable = places < points.shape[1]
    places = places.clamp(max=points.shape[1] - 1)
    own = weights.gather(1, places)
    done = full.gather(1, places) - own * room.gather(1, places)
    level = (excess.abs() - done) / (moving.gather(1, places) + own).clamp_min(1e-30)
    level = torch.where(reachable, level, torch.ones_like(level))
    lengths = torch.where(direction > 0, 1 - points, points).minimum(level)
    return lengths * direction


def walk(network, images, labels, classes, steps, alpha_max=0.1, eta=1.05, beta=0.9):
    """One run from the images: each one's closest success, and its distance (infinite where there is none)."""
    count = len(images)
    rows = torch.arange(count)
    points = images.clone()
    flat = images.flatten(1)
    closest, distances = images.clone(), torch.full((count,), float("inf"))
    for _ in range(steps):
        at = points.detach().requires_grad_()
        logits = network.logits(at)
        leads = logits[rows, classes] - logits[rows, labels]
        network.backward += count
        (gradient,) = torch.autograd.grad(leads.sum(), at)
        normals = gradient.flatten(1)
        offsets = (normals * points.flatten(1)).sum(1) - leads.detach()
        moves = project(
            torch.cat([points.flatten(1), flat]), torch.cat([normals, normals]), torch.cat([offsets, offsets])
        )
        lengths = moves.abs().amax(1).clamp_min(1e-8)
        from_point, from_image = moves.reshape(2, *images.shape)
        near, far = lengths.reshape(2, count, 1, 1, 1)
        alpha = (near / (near + far)).clamp(0, alpha_max)
        points = ((points + eta * from_point) * (1 - alpha) + (images + eta * from_image) * alpha).clamp(0, 1)
        with torch.no_grad():
            success = (network.logits(points).argmax(1) != labels).nonzero().flatten()
        if len(success) == 0:
            continue
        moved = points[success] - images[success]
        lengths = moved.abs().amax((1, 2, 3))
        closer = lengths < distances[success]
        closest[success[closer]] = points[success[closer]]
        distances[success[closer]] = lengths[closer]
        points[success] = images[success] + beta * moved
    return closest, distances


def fab_t(network, images, labels, epsilon, steps, targets):
    """A run towards each of the likeliest other classes, each on what the runs before have left."""
    found = images.clone()
    left = torch.arange(len(images))
    for place in range(2, targets + 2):
        if len(left) == 0:
            break
        with torch.no_grad():
            classes = network.logits(images[left]).sort(dim=1).indices[:, -place]
        points, distances = walk(network, images[left], labels[left], classes, steps)
        fooled = distances <= epsilon
        found[left[fooled]] = points[fooled]
        left = left[~fooled]
    return found
