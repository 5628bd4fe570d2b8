#!/usr/bin/env python3
"""Exports torchvision's and timm's networks for compare.ts, with PyTorch's logits and gradients beside them.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 numpy onnx onnxscript pillow
    venv/bin/pip install --no-deps torchvision==0.28.0 timm==1.0.29 huggingface_hub pyyaml safetensors
    venv/bin/python test/hard/networks/export_networks.py FOLDER [NAME ...]

Weights are random, by the seed 0. Of each network NAME are written NAME.pt2 (for 2 images), NAME.free.pt2
(any number), NAME.onnx, and in .npy files 2 images, logits, and gradients of the summed cross-entropy with
labels 0 and 1: in float32 by eager PyTorch, and of the same weights and images in float64.
"""
import os
import sys
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from torch.export import Dim, export, save

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
NETWORKS = """resnet18 resnet50 vgg11_bn densenet121 mobilenet_v2 mobilenet_v3_small efficientnet_b0
shufflenet_v2_x0_5 regnet_y_400mf convnext_tiny vit_b_16 swin_t timm/vit_tiny_patch16_224
timm/deit_tiny_patch16_224 timm/convnext_atto timm/tf_efficientnet_b0 timm/resnetv2_50 timm/mixer_s32_224
timm/swinv2_tiny_window8_256""".split()


# torchvision's compiled detectors may be of another build: classifiers need no more than their names.
try:
    import torchvision
except RuntimeError:
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    fragment = torch.library.Library("torchvision", "FRAGMENT")
    for name in "nms roi_align roi_pool ps_roi_align ps_roi_pool deform_conv2d".split():
        for written in [name, f"q{name}", f"_{name}_backward"]:
            fragment.define(f"{written}(Tensor a, Tensor b) -> Tensor")
    import torchvision


def network(name):
    torch.manual_seed(0)
    if name.startswith("timm/"):
        import timm

        model = timm.create_model(name.removeprefix("timm/"))
        return with_head(model).eval(), model.default_cfg["input_size"][-1]
    return with_head(getattr(torchvision.models, name)()).eval(), 224


def with_head(model):
    """Some begin with a last layer of zeros, whose logits and gradients would all be 0."""
    for layer in model.modules():
        if isinstance(layer, torch.nn.Linear) and not layer.weight.any():
            torch.nn.init.normal_(layer.weight, std=0.02)
    return model


def reference(model, images):
    seen = images.clone().requires_grad_(True)
    logits = model(seen)
    (gradient,) = torch.autograd.grad(F.cross_entropy(logits, torch.tensor([0, 1]), reduction="sum"), seen)
    return logits.detach().numpy(), gradient.numpy()


def write(folder, name):
    model, side = network(name)
    base = os.path.join(folder, name.replace("/", "-"))
    images = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    np.save(f"{base}.images.npy", images.numpy())
    logits, gradient = reference(model, images)
    np.save(f"{base}.logits.npy", logits)
    np.save(f"{base}.gradient.npy", gradient)
    save(export(model, (images,)), f"{base}.pt2")
    written = ["pt2"]
    try:
        save(export(model, (images,), dynamic_shapes=({0: Dim("n", min=1, max=1024)},)), f"{base}.free.pt2")
        written.append("free pt2")
    except Exception as error:
        written.append(f"no free pt2: {type(error).__name__}")
    try:
        torch.onnx.export(model, (images,), f"{base}.onnx", dynamo=True, external_data=False, verbose=False)
        written.append("onnx")
    except Exception as error:
        written.append(f"no onnx: {type(error).__name__}: {str(error)[:80]}")
    logits, gradient = reference(model.double(), images.double())
    np.save(f"{base}.logits64.npy", logits)
    np.save(f"{base}.gradient64.npy", gradient)
    print(f"{name}: {', '.join(written)}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    for one in sys.argv[2:] or NETWORKS:
        write(sys.argv[1], one)
