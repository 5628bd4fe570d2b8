import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { checkFits, imagesFrom, prepareWithBar } from "../../src/cli/frame/inputs/images-from.js";
import { type Dataset, datasets, imageFolder, imagesOf, type Split } from "../../src/datasets/index.js";
import { type Model, small } from "../../src/models/index.js";
import { writeClasses } from "../datasets/image-files.js";
import { captureOutput } from "./captured-output.js";

const parent = mkdtempSync(join(tmpdir(), "sqa-fits-"));
afterAll(() => rmSync(parent, { recursive: true }));
vi.stubEnv("XDG_CACHE_HOME", join(parent, "cache"));
const path = writeClasses(join(parent, "photos"), ["ant", "bee", "cow"], 2);
const call = (options: string) => `image-folder(path=${path}, ${options})`;

test.each([
  ["size=32, channels=gray", 3, `: leave out channels=gray: --images '${call("size=32")}'`],
  ["size=32", 1, `: give channels=gray: --images '${call("size=32, channels=gray")}'`],
  ["size=28", 3, "size=32)', or resize=N and crop=32 as in training"],
  ["size=28", 1, "size=32, channels=gray)', or resize=N and crop=32 as in training"],
])("images of %s, and a model of %d channels: the way to those that fit is said", (given, channels, hint) => {
  const model = small({ inputShape: [channels, 32, 32], classes: 3 }).build({ seed: 0 });
  const message = (options: string) => {
    try {
      checkFits(model, datasets.parse(call(options)));
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  expect(message(given).endsWith(hint), message(given)).toBe(true);
  // The advice is true: images given so fit.
  const advised = / --images '(.*?)'/.exec(message(given))![1]!;
  expect(() => checkFits(model, datasets.parse(advised))).not.toThrow();
});

test("images that lie by class are told of where the first ones are of few of them", async () => {
  const data = (labels: number[]) =>
    imagesOf({ images: new Uint8Array(labels.length), labels, shape: [1, 1, 1], classes: ["ant", "bee"] });
  const noted = async (split: Split, limit: number | undefined) => {
    using captured = captureOutput();
    await prepareWithBar(split, limit, new AbortController().signal);
    return captured.stderr.text;
  };
  const sorted = data(Array.from({ length: 100 }, (_, i) => Number(i >= 50))).train;
  expect(await noted(sorted, 40)).toBe(
    "note the first 40 images of own-images train are of 1 of its 2 classes, and so are all figures: give " +
      "images in another order, or take more of them (--limit)\n",
  );
  // Once, whatever is done with them.
  expect(await noted(sorted, 40)).toBe("");
  for (const limit of [40, 100, undefined])
    expect(await noted(data(Array.from({ length: 100 }, (_, i) => i % 2)).train, limit)).toBe("");
});

test("a folder's path may have parentheses, as the second download of a name has", async () => {
  const folder = writeClasses(join(parent, "photos (1)"), ["ant", "bee"], 1);
  const images = await imagesFrom(folder);
  expect([images.name, images.classNames]).toEqual(["image-folder", ["ant", "bee"]]);
  expect(datasets.parse(String(images)).identity).toBe(images.identity);
});

test("classes of the model's names in another order are refused, and other names are told", () => {
  const folder = writeClasses(join(parent, "ordered"), ["ant", "bee", "cow"], 1);
  const images = (...names: string[]) => {
    writeFileSync(join(folder, "classes.txt"), names.join("\n"));
    return imageFolder(folder, { size: 32, channels: "gray" });
  };
  const of = small({ inputShape: [1, 32, 32], classes: 3 });
  const named = (...classNames: string[]) => ({ ...of.build({ seed: 0 }), classNames });
  const told = (model: Model, data: Dataset, isRun = false) => {
    using captured = captureOutput();
    checkFits(model, data, isRun);
    return captured.stderr.text;
  };
  expect(told(named("ant", "bee", "cow"), images("ant", "bee", "cow"))).toBe("");
  expect(() => told(named("ant", "bee", "cow"), images("bee", "ant", "cow"))).toThrow(
    /class 0 is bee, which is class 1 of small\(.*: its labels mean other classes; name its classes in the/,
  );
  expect(told(named("wasp", "bee", "cow"), images("ant", "bee", "cow"))).toMatch(
    /name their classes differently: class 0 is wasp, and ant\n$/,
  );
  // The numbers of an exported model's classes are no names; those of a run's images are.
  const numbers = writeClasses(join(parent, "numbers"), ["0", "1", "2"], 1);
  writeFileSync(join(numbers, "classes.txt"), "0\n2\n1");
  const data = imageFolder(numbers, { size: 32, channels: "gray" });
  expect(told(named("0", "1", "2"), data)).toBe("");
  expect(() => told(named("0", "1", "2"), data, true)).toThrow(/class 1 is 2, which is class 2 of small/);
});
