"""Runs models that write-models.ts wrote in ONNX Runtime, compares its logits with this package's, and writes
the logits of some into a file for the tests.

    npx tsx test/models/export/write-models.ts FOLDER
    python test/golden/onnx_export.py FOLDER test/golden/onnx-export.json

Of randomized models it compares mean and variance over draws, in standard errors.
Written with onnxruntime 1.30.0, onnx 1.23.1, numpy.
"""

import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime

folder, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
kept = ("small", "compact", "small-deterministic", "compact-deterministic", "resnet18", "every-layer")
stored, largest, widest, spread = {}, 0.0, 0.0, 0.0
for path in sorted(folder.glob("*.onnx")):
    onnx.checker.check_model(str(path), full_check=True)
    said = json.loads(path.with_suffix(".json").read_text())
    images = numpy.array(said["images"], numpy.float32).reshape(-1, *said["inputShape"])
    wanted = numpy.array(said["logits"], numpy.float64).reshape(-1, said["classes"])
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    if said["random"]:
        images = numpy.repeat(images, len(wanted), axis=0)
    found = session.run(["logits"], {"images": images})[0].astype(numpy.float64)
    assert found.shape == wanted.shape
    if said["random"]:
        variance = [values.var(axis=0, ddof=1) for values in (wanted, found)]
        error = numpy.sqrt((variance[0] + variance[1]) / len(wanted))
        scores = (wanted.mean(axis=0) - found.mean(axis=0)) / numpy.maximum(error, 1e-6)
        widest = max(widest, numpy.abs(scores).max())
        again = session.run(["logits"], {"images": images[:1]})[0]
        assert not numpy.array_equal(again, session.run(["logits"], {"images": images[:1]})[0])
        ratio = variance[1][variance[0] > 1e-6] / variance[0][variance[0] > 1e-6]
        # A bare quantizer has pixels that are hardly ever raised: too few events for a variance.
        if not path.stem.startswith("bare"):
            spread = max(spread, numpy.abs(ratio - 1).max())
        print(f"{path.stem}: largest difference of means {numpy.abs(scores).max():.2f} standard errors, "
              f"of variances {numpy.abs(ratio - 1).max():.1%}")
    else:
        difference = numpy.abs(wanted - found).max() / numpy.abs(wanted).max()
        largest = max(largest, difference)
        print(f"{path.stem}: {difference:.1e} of the largest logit")
    if path.stem in kept:
        stored[path.stem] = [float(f"{value:.8g}") for value in found.ravel()]
print(f"largest difference: {largest:.1e}; of means: {widest:.2f} standard errors; of variances: {spread:.1%}")
target.write_text(json.dumps(stored) + "\n")
