"""Trains and exports three classifiers by plain PyTorch, and attacks them there: the reference of compare.ts.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 numpy pillow scikit-learn
    venv/bin/python examples/pytorch/make_models.py FOLDER

Writes FOLDER/photos with a folder of PNG files for each class, plain.pt2, quantized.pt2 (its straight-through
backward is lost by export), noisy.pt2 (it draws noise), and outcomes.json: which images each stays correct on.
"""

import json
import pathlib
import sys
import zipfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image
from sklearn.datasets import load_digits
from torch.export import Dim, export, save

EPSILON, STEPS, STEP = 4 / 255, 20, 1 / 255
OUT = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)


class Rounded(torch.autograd.Function):
    """Eight levels, and the gradient of the identity."""

    @staticmethod
    def forward(context, x):
        return torch.round(x * 7) / 7

    @staticmethod
    def backward(context, gradient):
        return gradient


class Net(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.conv1, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.conv2, self.fc = nn.Conv2d(8, 8, 3, stride=2, padding=1), nn.Linear(128, 10)

    def forward(self, x):
        if self.kind == "noisy":
            x = x + 0.03 * torch.randn_like(x)
        x = F.relu(self.norm(self.conv1((x - 0.5) / 0.1)))
        if self.kind == "quantized":
            x = Rounded.apply(x)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


def photographs():
    """Digits in low contrast before a grainy background, (N, 16, 16) bytes of gray."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    large = digits.images[order].repeat(2, 1).repeat(2, 2) / 16
    pixels = 0.4 + 0.2 * large + np.random.default_rng(1).normal(0, 0.03, large.shape)
    return np.clip(np.rint(pixels * 255), 0, 255).astype(np.uint8), digits.target[order]


def tensor_of(images):
    """Images as torchvision's loader and ToTensor make them: three channels, (N, 3, 16, 16)."""
    opened = [np.asarray(Image.fromarray(image).convert("RGB")) for image in images]
    return torch.tensor(np.stack(opened)).permute(0, 3, 1, 2).contiguous().float() / 255


def train(kind, x, y):
    torch.manual_seed(0)
    model = Net(kind)
    optimizer = torch.optim.Adam(model.parameters(), 0.003)
    for _ in range(15):
        for batch in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
    return model.eval()


def descend(model, x, y, step, steps):
    """FGSM for one step of epsilon; PGD without a random start for more."""
    adversarial = x.clone()
    for _ in range(steps):
        seen = adversarial.clone().requires_grad_(True)
        gradient = torch.autograd.grad(F.cross_entropy(model(seen), y, reduction="sum"), seen)[0]
        adversarial = adversarial + step * gradient.sign()
        adversarial = torch.min(torch.max(adversarial, x - EPSILON), x + EPSILON).clamp(0, 1)
    return adversarial


def write(name, model, x):
    """Saves without source lines, which are most of a small file."""
    path = OUT / f"{name}.pt2"
    save(export(model, (x,), dynamic_shapes=({0: Dim("n", min=1, max=1024)},)), path)
    with zipfile.ZipFile(path) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for entry, content in files.items():
            if entry.endswith("/models/model.json"):
                program = json.loads(content)
                for node in program["graph_module"]["graph"]["nodes"]:
                    node["metadata"] = {}
                content = json.dumps(program, separators=(",", ":")).encode()
            archive.writestr(zipfile.ZipInfo(entry), content)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    images, labels = photographs()
    tested = [i for digit in range(10) for i in np.flatnonzero(labels == digit)[:8]]
    rest = np.setdiff1d(np.arange(len(labels)), tested)
    names = []
    for place, i in enumerate(tested):
        name = f"{labels[i]}/{place % 8}.png"
        (OUT / "photos" / str(labels[i])).mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[i]).save(OUT / "photos" / name, optimize=True)
        names.append(name)
    opened = [np.asarray(Image.open(OUT / "photos" / name)) for name in names]
    x, y = tensor_of(opened), torch.tensor(labels[tested])
    outcomes = {"torch": torch.__version__, "epsilon": EPSILON, "images": names}
    for kind in ["plain", "quantized", "noisy"]:
        model = train(kind, tensor_of(images[rest]), torch.tensor(labels[rest]))
        write(kind, model, x[:2])
        attacked = {"clean": x, "fgsm": descend(model, x, y, EPSILON, 1), "pgd": descend(model, x, y, STEP, STEPS)}
        outcomes[kind] = {name: (model(seen).argmax(1) == y).int().tolist() for name, seen in attacked.items()}
        print(kind, {name: sum(found) for name, found in outcomes[kind].items()}, "of", len(y))
    (OUT / "outcomes.json").write_text(json.dumps(outcomes) + "\n")


main()
