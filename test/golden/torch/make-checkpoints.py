# Writes the checkpoints of training scripts beside this file: python make-checkpoints.py (PyTorch 2.13, NumPy 2, safetensors 0.8).
import argparse, collections, datetime, enum, functools, pathlib, types
import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

torch.manual_seed(0)
here = pathlib.Path(__file__).parent


def network():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))


class Phase(enum.Enum):
    TRAIN = 1


class Config:
    def __init__(self):
        self.depth = 18


net = network()
adam = torch.optim.Adam(net.parameters())
net(torch.zeros(2, 1, 4, 4)).sum().backward()
adam.step()
plain = net.state_dict()
extras = {
    "epoch": 3,
    "arch": "resnet18",
    "best_acc1": torch.tensor(97.5),
    "optimizer": adam.state_dict(),
    "scheduler": torch.optim.lr_scheduler.CosineAnnealingLR(adam, 3).state_dict(),
    "rng_state": torch.get_rng_state(),
    "numpy_rng": np.random.RandomState(0).get_state(),
    "args": argparse.Namespace(lr=0.1, out=pathlib.PurePosixPath("runs"), device=torch.device("cpu"), dtype=torch.float16),
    "config": Config(),
    "phase": Phase.TRAIN,
    "seen": {1, 2},
    "frozen": frozenset("ab"),
    "raw": b"bytes",
    "buffer": bytearray(b"more"),
    "history": collections.defaultdict(list, loss=[np.float64(0.5)]),
    "counts": collections.Counter("aab"),
    "queue": collections.deque([1], maxlen=3),
    "space": types.SimpleNamespace(a=1),
    "act": functools.partial(nn.ReLU, inplace=True),
    "when": datetime.datetime(2026, 1, 2),
    "by_pair": {(0, 1): 2, None: 3, True: 4},
    "complex": torch.zeros(1, dtype=torch.complex64),
    "z": 1 + 2j,
}
wrap = lambda prefix: {prefix + name: value for name, value in plain.items()}

for protocol in (2, 5):
    torch.save({**extras, "state_dict": wrap("_orig_mod.module.")}, here / f"training-{protocol}.pt", pickle_protocol=protocol)
# A normalization before the network, parts of which are compiled, in DataParallel.
torch.save({"net": {f"module.1.{name.replace('.', '._orig_mod.', 1)}": value for name, value in plain.items()}, "acc": 97.5}, here / "compiled.pt")
averaged = torch.optim.swa_utils.AveragedModel(net)
torch.save({"swa": averaged.state_dict(), "optimizer": adam.state_dict()}, here / "averaged.pt")
torch.save({"state_dict": wrap("model."), "callbacks": {"ModelCheckpoint{}": {"best_model_score": torch.tensor(1.0)}}, "hyper_parameters": argparse.Namespace()}, here / "lightning.pt")
torch.save({"model": {"state_dict": plain}, "epoch": 1}, here / "nested.pt")
torch.save({"model": net, "epoch": 1}, here / "module-inside.pt")
quantized = {**plain, "3.weight": torch.quantize_per_tensor(plain["3.weight"], 0.1, 0, torch.qint8)}
torch.save({"state_dict": quantized}, here / "quantized.pt")

integers = {torch.int32: 2**31 - 1, torch.int16: -(2**15), torch.int8: -128, torch.uint32: 2**32 - 1, torch.uint16: 2**16 - 1, torch.uint8: 255}
save_file(
    {
        **{str(dtype)[6:]: torch.tensor([[1, largest]], dtype=dtype) for dtype, largest in integers.items()},
        "float16": torch.tensor([1.5, -2.25, 65504, 2**-24, -0.0, torch.inf, torch.nan], dtype=torch.float16),
        "float64": torch.tensor([1 / 3, 1e300, -1.5], dtype=torch.float64),
        "bool": torch.tensor([True, False]),
    },
    here / "element-types.safetensors",
)
