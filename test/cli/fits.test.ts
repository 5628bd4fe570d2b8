import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { checkFits, imagesFrom } from "../../src/cli/frame/inputs/images-from.js";
import { datasets } from "../../src/datasets/index.js";
import { small } from "../../src/models/index.js";
import { writeClasses } from "../datasets/image-files.js";

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

test("a folder's path may have parentheses, as the second download of a name has", async () => {
  const folder = writeClasses(join(parent, "photos (1)"), ["ant", "bee"], 1);
  const images = await imagesFrom(folder);
  expect([images.name, images.classNames]).toEqual(["image-folder", ["ant", "bee"]]);
  expect(datasets.parse(String(images)).identity).toBe(images.identity);
});
