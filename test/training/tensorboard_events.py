"""Prints what TensorBoard's own reader finds in a folder of event files, as JSON."""

import base64
import json
import sys

from tensorboard.backend.event_processing import event_accumulator

everything = {kind: 0 for kind in ("scalars", "images", "tensors")}
log = event_accumulator.EventAccumulator(sys.argv[1], size_guidance=everything)
log.Reload()
tags = log.Tags()
scalars = {tag: [[event.step, event.value] for event in log.Scalars(tag)] for tag in tags["scalars"]}
images = {
    tag: [
        {
            "step": event.step,
            "width": event.width,
            "height": event.height,
            "png": base64.b64encode(event.encoded_image_string).decode(),
        }
        for event in log.Images(tag)
    ]
    for tag in tags["images"]
}
texts = {}
for tag in tags["tensors"]:
    if log.SummaryMetadata(tag).plugin_data.plugin_name != "text":
        continue
    texts[tag] = [event.tensor_proto.string_val[0].decode() for event in log.Tensors(tag)]
print(json.dumps({"scalars": scalars, "images": images, "texts": texts}))
