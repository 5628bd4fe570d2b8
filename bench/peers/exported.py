"""Attack passes of exported models in PyTorch: forward, and back to the images alone.

    exported.py --make NAME BATCH FOLDER    writes FOLDER/NAME.pt2 and FOLDER/NAME.images (float32 in [0, 1])
    exported.py '{"file": ..., "form": ...}'

The second is a peer process: {"run": k} makes k passes, {"write": path} writes logits and gradient of one as float32.
"""

import json
import os
import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

# torchvision's own compiled operators may be of another build; classifiers need none of them, their names only.
try:
    import torchvision
except RuntimeError:
    for module in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[module]
    stub = torch.library.Library("torchvision", "FRAGMENT")
    for name in ["nms", "qnms", "roi_align", "qroi_align", "_roi_align_backward", "roi_pool", "_roi_pool_backward",
                 "ps_roi_align", "_ps_roi_align_backward", "ps_roi_pool", "_ps_roi_pool_backward", "deform_conv2d",
                 "_deform_conv2d_backward"]:
        try:
            stub.define(f"{name}(Tensor a, Tensor b) -> Tensor")
        except RuntimeError:
            pass
    import torchvision


class Block(nn.Module):
    def __init__(self, taken, given, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(taken, given, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(given)
        self.conv2 = nn.Conv2d(given, given, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(given)
        self.shortcut = nn.Sequential()
        if stride != 1 or taken != given:
            self.shortcut = nn.Sequential(nn.Conv2d(taken, given, 1, stride, bias=False), nn.BatchNorm2d(given))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet18(nn.Module):
    """ResNet-18 in the form for images of 32 pixels: 3x3 first, and no pooling behind it."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        widths, strides = [64, 128, 256, 512], [1, 2, 2, 2]
        blocks, taken = [], 64
        for given, stride in zip(widths, strides):
            blocks += [Block(taken, given, stride), Block(given, given, 1)]
            taken = given
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(512, 10)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn1(self.conv1(x))))
        return self.linear(F.avg_pool2d(x, 4).flatten(1))


def build(name):
    torch.manual_seed(0)
    model = ResNet18() if name == "resnet18-cifar" else getattr(torchvision.models, name)()
    # Statistics as of a trained network: normalization that changes nothing could be folded for free.
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(layer.weight, 0.5, 1.0)
            nn.init.normal_(layer.bias, 0, 0.1)
    # A transformer's last layer begins at zero: it would answer zeros, and pass no gradient.
    if name.startswith("vit"):
        nn.init.normal_(model.heads.head.weight, 0, 0.02)
    return model.eval().requires_grad_(False), 32 if name == "resnet18-cifar" else 224


def make(name, batch, folder):
    model, size = build(name)
    images = torch.rand(batch, 3, size, size, generator=torch.Generator().manual_seed(1))
    free = {0: torch.export.Dim("n", min=1, max=1024)}
    torch.export.save(torch.export.export(model, (images[:2],), dynamic_shapes=(free,)), os.path.join(folder, f"{name}.pt2"))
    images.numpy().tofile(os.path.join(folder, f"{name}.images"))


class Passes:
    def __init__(self, options):
        images = np.fromfile(options["images"], dtype=np.float32).reshape(options["shape"])
        self.images = torch.from_numpy(images)
        form = options["form"]
        if form == "exported":
            self.model = torch.export.load(options["file"]).module()
            for parameter in self.model.parameters():
                parameter.requires_grad_(False)
        else:
            self.model, _ = build(options["name"])
        if "channels-last" in form:
            self.model = self.model.to(memory_format=torch.channels_last)
            self.images = self.images.contiguous(memory_format=torch.channels_last)
        if "compile" in form:
            self.model = torch.compile(self.model)

    def step(self):
        images = self.images.detach().requires_grad_()
        logits = self.model(images)
        labels = torch.arange(len(images)) % logits.shape[1]
        loss = F.cross_entropy(logits, labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, images)
        return logits.detach(), gradient


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main():
    if sys.argv[1] == "--make":
        return make(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    options = json.loads(sys.argv[1])
    torch.set_num_threads(options["threads"])
    passes = Passes(options)

    def answer(line):
        print(json.dumps(line), flush=True)

    answer({"ready": f"torch {torch.__version__}", "capability": torch.backends.cpu.get_cpu_capability()})
    for line in sys.stdin:
        command = json.loads(line)
        if "write" in command:
            logits, gradient = passes.step()
            with open(command["write"], "wb") as file:
                file.write(logits.contiguous().numpy().tobytes())
                file.write(gradient.contiguous().numpy().tobytes())
            answer({})
            continue
        began, used = time.perf_counter(), processor_seconds()
        for _ in range(command["run"]):
            passes.step()
        answer({"seconds": time.perf_counter() - began, "processorSeconds": processor_seconds() - used})


main()
