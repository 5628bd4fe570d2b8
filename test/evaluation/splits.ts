import type { Split } from "../../src/datasets/index.js";
import { tensor } from "../../src/engine/index.js";
import { numberedClasses } from "../../src/models/index.js";
import type { Classifier } from "../../src/nn/index.js";

/** Split of pixels and labels in the form of a classifier. */
export function splitFor(
  { inputShape, classes }: Pick<Classifier, "inputShape" | "classes">,
  images: Split["images"],
  labels: Split["labels"],
): Split {
  const form = { imageShape: inputShape, classNames: numberedClasses(classes) };
  return { name: "test images", images, labels, count: labels.length, ...form };
}

/** Two classes by the mean pixel against 0.5; deterministic, with a gradient. */
export const brightness: Classifier = {
  inputShape: [1, 2, 2],
  classes: 2,
  randomized: false,
  logits(images) {
    const mean = images.meanDim([1, 2, 3]).unsqueeze(1);
    return mean.sub(0.5).mul(tensor([-1, 1], [1, 2]));
  },
};

/** Images of one gray, one for each byte given, all of class 0. */
export const grays = (...bytes: number[]) =>
  splitFor(
    brightness,
    Uint8Array.from(bytes.flatMap((byte) => [byte, byte, byte, byte])),
    new Uint8Array(bytes.length),
  );
