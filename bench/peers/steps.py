"""Training steps of the peer: standard and FGSM, eager or compiled, float32 or bfloat16, NCHW or channels-last."""

import importlib
import json
import math
import struct

import torch
import torch.nn.functional as F


def read_weights(path):
    """The tensors of a safetensors file; all are float32."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    return {
        name: torch.frombuffer(data[slice(*entry["data_offsets"])], dtype=torch.float32).reshape(entry["shape"]).clone()
        for name, entry in header.items()
    }


def read_images(path, count, shape):
    with open(path, "rb") as file:
        data = torch.frombuffer(bytearray(file.read()), dtype=torch.uint8)
    pixels = count * math.prod(shape)
    return data[:pixels].reshape(count, *shape), data[pixels:].long()


class Training:
    """Weights, images and an optimizer; `step()` makes one step and returns the loss."""

    def __init__(self, options):
        self.options = options
        self.bfloat16 = options["precision"] == "bfloat16"
        self.logits = importlib.import_module(options["peer"]).logits
        weights = read_weights(options["weights"])
        if options["channelsLast"]:
            layout = torch.channels_last
            weights = {k: w.contiguous(memory_format=layout) if w.dim() == 4 else w for k, w in weights.items()}
        # Batch normalization's statistics are stored with the weights.
        parameters = [weight.requires_grad_() for name, weight in weights.items() if ".running_" not in name]
        self.weights = weights
        # The same memory without gradients: the attack wants those of the images alone.
        self.fixed = {name: weight.detach() for name, weight in weights.items()}
        self.optimizer = torch.optim.SGD(
            parameters,
            lr=options["learningRate"],
            momentum=options["momentum"],
            weight_decay=options["weightDecay"],
            fused=True,
        )
        self.images, self.labels = read_images(options["images"], options["count"], options["imageShape"])
        self.order = torch.randperm(options["count"])
        self.next = 0
        compiled = torch.compile if options["mode"] == "compile" else lambda function: function
        self.loss = compiled(self.plain_loss)
        self.move = compiled(self.plain_move)

    def plain_loss(self, weights, images, labels, reduction, training):
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            z = self.logits(weights, images, self.options["activation"], self.options["channelsLast"], training)
        return F.cross_entropy(z.float(), labels, reduction=reduction)

    def plain_move(self, images, gradient):
        return (images + self.options["epsilon"] * gradient.sign()).clamp(0, 1)

    def batch(self):
        size = self.options["batch"]
        if self.next + size > len(self.order):
            self.order = torch.randperm(len(self.order))
            self.next = 0
        chosen = self.order[self.next : self.next + size]
        self.next += size
        return self.images[chosen].float() / 255, self.labels[chosen]

    def step(self):
        images, labels = self.batch()
        if self.options["method"] == "fgsm":
            images.requires_grad_()
            loss = self.loss(self.fixed, images, labels, "sum", False)
            (gradient,) = torch.autograd.grad(loss, images)
            images = self.move(images.detach(), gradient)
        loss = self.loss(self.weights, images, labels, "mean", True)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()
