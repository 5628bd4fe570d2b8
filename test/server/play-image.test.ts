import { expect, test } from "vitest";
import { type Dataset, imagesOf, mnist } from "../../src/datasets/index.js";
import { small } from "../../src/models/index.js";
import { playImage } from "../../src/server/playground/play-image.js";

const images = new Uint8Array(2 * 28 * 28);
const own = (...classes: string[]): Dataset =>
  imagesOf({ images, labels: [0, 1], shape: [1, 28, 28], classes, test: { images, labels: [0, 1] } });

const labelOf = async (names: string[], data: string, position: number, run?: Dataset) => {
  const of = small({ inputShape: [1, 28, 28], classes: names.length });
  const model = { ...of.build({ seed: 0 }), classNames: names };
  const request = { model: { run: "one" }, attack: "fgsm", seed: 0, image: { position, data } };
  return (await playImage(request, { model, data: run, notes: [] })).label;
};

test("an image's class is the model's of that name, and that of no other name", async () => {
  const data = own("ant", "bee");
  expect(await labelOf(["ant", "bee"], "", 1, data)).toBe(1);
  expect(await labelOf(["bee", "ant"], "", 1, data)).toBe(0);
  expect(await labelOf(["cow", "bee"], "", 0, data)).toBeNull();
  const digits = mnist();
  const seven = digits.test.labels[0]!;
  expect(await labelOf([..."0123456789"], "mnist", 0, data)).toBe(seven);
  // A run of ten animals has no class of a digit; what an exported model's ten classes are is not known.
  const animals = [..."abcdefghij"];
  expect(await labelOf(animals, "mnist", 0, data)).toBeNull();
  expect(await labelOf(animals, "mnist", 0)).toBe(seven);
  expect(await labelOf([..."0123456789"], "mnist", 0)).toBe(seven);
  await expect(labelOf(["0", "1"], "mnist", 0)).rejects.toThrow(`label ${seven}: the model has 2 classes`);
});
