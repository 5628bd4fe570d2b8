"""Writes the operator tests of the onnx package, as its generator makes them. By hand:

    python3 -m venv venv && venv/bin/pip install onnx==1.23.1 ml_dtypes
    venv/bin/python test/golden/onnx_node_tests.py OUT
    npx tsx test/models/exported/onnx/node-tests.ts OUT

Each case is a folder OUT/NAME with model.onnx, input_0.pb, ..., output_0.pb, ...: the layout of libonnx-testdata
without its inner folder. `--pack FILE` writes those named in `onnx_node_cases.txt` to one JSON file instead.
"""

import base64
import json
import os
import sys

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases


def tensor_bytes(value):
    if isinstance(value, onnx.TensorProto):
        return value.SerializeToString()
    if isinstance(value, (np.ndarray, np.generic)):
        return numpy_helper.from_array(np.asarray(value)).SerializeToString()
    return None


def cases():
    for case in collect_testcases(None):
        if case.model is None or not case.data_sets:
            continue
        inputs, outputs = case.data_sets[0]
        try:
            parts = [[tensor_bytes(value) for value in side] for side in (inputs, outputs)]
        except Exception:  # strings and the like, which numpy_helper refuses
            continue
        if any(part is None for side in parts for part in side):
            continue
        yield case.name, case.model.SerializeToString(), parts[0], parts[1]


def main():
    if sys.argv[1] == "--pack":
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "onnx_node_cases.txt")) as file:
            wanted = set(file.read().split())
        text = lambda data: base64.b64encode(data).decode()
        packed = {
            name: {"model": text(model), "inputs": [text(x) for x in inputs], "outputs": [text(x) for x in outputs]}
            for name, model, inputs, outputs in cases()
            if name in wanted
        }
        missing = wanted - set(packed)
        if missing:
            sys.exit(f"no such cases: {', '.join(sorted(missing))}")
        with open(sys.argv[2], "w") as file:
            json.dump({"onnx": onnx.__version__, "cases": dict(sorted(packed.items()))}, file, indent=0)
            file.write("\n")
        return
    count = 0
    for name, model, inputs, outputs in cases():
        folder = os.path.join(sys.argv[1], name)
        os.makedirs(folder, exist_ok=True)
        files = {"model.onnx": model}
        files.update({f"input_{i}.pb": data for i, data in enumerate(inputs)})
        files.update({f"output_{i}.pb": data for i, data in enumerate(outputs)})
        for file, data in files.items():
            with open(os.path.join(folder, file), "wb") as out:
                out.write(data)
        count += 1
    print(f"{count} cases of onnx {onnx.__version__}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main()
