"""A peer process: options as JSON in the first argument, then a command a line on stdin and an answer a line on stdout.

{"run": k} makes k steps and answers {"seconds": s, "losses": [...]}; {"multiply": n, "dtype": d} times one product of
two n x n matrices. The process ends with its input.
"""

import json
import sys
import time

import torch

from steps import Training


def run(training, count):
    began = time.perf_counter()
    losses = [training.step() for _ in range(count)]
    return {"seconds": time.perf_counter() - began, "losses": losses}


def multiply(size, dtype):
    a = torch.rand(size, size).to(getattr(torch, dtype))
    began = time.perf_counter()
    a @ a
    return {"seconds": time.perf_counter() - began}


def main():
    options = json.loads(sys.argv[1])
    torch.set_num_threads(options["threads"])
    torch.manual_seed(0)
    training = Training(options) if "method" in options else None

    def answer(line):
        print(json.dumps(line), flush=True)

    answer({"ready": f"torch {torch.__version__}", "capability": torch.backends.cpu.get_cpu_capability()})
    for line in sys.stdin:
        command = json.loads(line)
        answer(run(training, command["run"]) if "run" in command else multiply(command["multiply"], command["dtype"]))


main()
