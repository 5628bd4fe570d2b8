import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { small } from "../../src/models/index.js";
import { RunPictures } from "../../src/training/run/run-pictures.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-run-pictures-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("pictures of an epoch leave nothing of a writer that was killed, however short ago", () => {
  const images = join(folder, "images");
  mkdirSync(images);
  const gone = spawnSync("true").pid;
  for (const name of ["epoch-1-image-28.png", "images.json", "of-others.png"])
    writeFileSync(join(images, `.${name}.${gone}-0a1b2c3d.tmp`), "");
  const model = small().build({ seed: 0 });
  const pictures = new RunPictures(images, model);
  const pixels = new Float32Array(784).fill(0.5);
  const shown = [{ position: 3, label: 1, predicted: 2, clean: pixels, adversarial: pixels }];
  const attack = { attack: "fgsm", accuracy: 0.5 };
  const epoch = { type: "epoch", epoch: 2, step: 20, loss: 1, clean: 0.9 } as const;
  const rest = { commonestClass: 0.1, seconds: 1, secondsPerStep: 0.1 };
  pictures.keep({ ...epoch, ...rest, validation: [attack] }, shown);
  model.module.dispose();
  expect(readdirSync(images).sort()).toEqual([
    `.of-others.png.${gone}-0a1b2c3d.tmp`,
    "epoch-2-image-3.png",
    "images.json",
  ]);
});
