"""AutoAttack standard as a user of PyTorch runs it: eager float32, the published algorithm and budgets, written afresh.

Options as JSON in the first argument, then a command a line on stdin and an answer a line on stdout: {"batch": b} attacks
the images of batch b. The answer holds the share of them that is right as they are, and a part for each component: images
that it attacked and left, passes of single images, seconds by the wall and by the processor; beside them the largest
perturbation that was made.
"""

import json
import sys
import time

import torch

from auto_pgd import apgd_ce, apgd_t
from fab import fab_t
from network import logits
from square import square
from steps import read_images, read_weights


class Network:
    """A deterministic network that counts the passes of images through it."""

    def __init__(self, path):
        self.weights = read_weights(path)
        self.forward = 0
        self.backward = 0

    def logits(self, images):
        self.forward += len(images)
        return logits(self.weights, images, "relu", False)


def components(options):
    """The attacks of the suite in their order: functions of network, images and labels."""
    epsilon, steps, queries, targets = (options[name] for name in ("epsilon", "steps", "queries", "targets"))
    return {
        "apgd": lambda *given: apgd_ce(*given, epsilon, steps),
        "apgd-t": lambda *given: apgd_t(*given, epsilon, steps, targets),
        "fab-t": lambda *given: fab_t(*given, epsilon, steps, targets),
        "square": lambda *given: square(*given, epsilon, queries),
    }


def attack(network, images, labels, options):
    def right(some, their_labels):
        with torch.no_grad():
            return network.logits(some).argmax(1) == their_labels

    clock = time.perf_counter()
    left = right(images, labels).nonzero().flatten()
    answer = {"clean": len(left), "parts": [], "largest": 0.0}
    for name, component in components(options).items():
        network.forward = network.backward = 0
        attacked = len(left)
        began, cpu = time.perf_counter(), time.process_time()
        if attacked > 0:
            some = images[left]
            found = component(network, some, labels[left])
            answer["largest"] = max(answer["largest"], (found - some).abs().max().item())
            left = left[right(found, labels[left])]
        answer["parts"].append(
            {
                "name": name,
                "attacked": attacked,
                "left": len(left),
                "forward": network.forward,
                "backward": network.backward,
                "seconds": time.perf_counter() - began,
                "processorSeconds": time.process_time() - cpu,
            }
        )
    answer["seconds"] = time.perf_counter() - clock
    return answer


def main():
    options = json.loads(sys.argv[1])
    torch.set_num_threads(options["threads"])
    torch.manual_seed(options["seed"])
    network = Network(options["weights"])
    images, labels = read_images(options["images"], options["count"], (1, 28, 28))

    def answer(line):
        print(json.dumps(line), flush=True)

    answer({"ready": f"torch {torch.__version__}", "capability": torch.backends.cpu.get_cpu_capability()})
    for line in sys.stdin:
        first = json.loads(line)["batch"] * options["batch"]
        rows = slice(first, first + options["batch"])
        answer(attack(network, images[rows].float() / 255, labels[rows], options))


main()
