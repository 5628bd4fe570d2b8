import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setUp } from "../../scripts/setup/set-up.mjs";
import { mnist } from "../../src/datasets/index.js";
import { guides, read, root } from "./pages.js";
import { blocksOf, fileNameOf, makeProject, runShell } from "./programs.js";

const fixture = (path: string) => fileURLToPath(new URL(`test/fixtures/${path}`, root));

/** Folders of the guides' projects, each of which begins with the files that its reader has. */
const projects = new Map(guides.map((page) => [page, makeProject()]));
afterAll(() => {
  for (const folder of projects.values()) rmSync(folder, { recursive: true });
});

/** Writes digits as PNG files, a folder for each class. */
function writePhotos(folder: string): void {
  const { images, labels } = mnist().test;
  for (let i = 0; i < 80; i++) {
    const ofClass = join(folder, String(labels[i]));
    mkdirSync(ofClass, { recursive: true });
    const data = Uint8Array.from(images.slice(i * 784, (i + 1) * 784));
    writeFileSync(join(ofClass, `${i}.png`), encode({ width: 28, height: 28, data, channels: 1 }));
  }
}

beforeAll(() => {
  // The programs import what is compiled.
  setUp();
  for (const folder of projects.values()) {
    copyFileSync(fixture("guides/model.pt2"), join(folder, "model.pt2"));
    copyFileSync(fixture("onnx/mnist.onnx"), join(folder, "model.onnx"));
    writePhotos(join(folder, "photos"));
  }
});

/** Files and shell blocks of a page, in order. */
const steps = guides.flatMap((page) =>
  blocksOf(read(page)).flatMap(({ language, code }, i) => {
    const file = fileNameOf(code);
    if (file === undefined && language !== "bash") return [];
    return [{ page, step: `${i + 1}, ${file ?? code.trim().split("\n").at(-1)}`, file, code }];
  }),
);

describe("guides", () => {
  it.each(steps)(
    "$page works as it stands: $step",
    ({ page, file, code }) => {
      const folder = projects.get(page)!;
      if (file !== undefined) writeFileSync(join(folder, file), code);
      else runShell(code, folder);
    },
    300_000,
  );

  it("name the file of every program", () => {
    const unnamed = guides.flatMap((page) =>
      blocksOf(read(page))
        .filter(({ language, code }) => /^m?[jt]s$/.test(language) && fileNameOf(code) === undefined)
        .map(({ code }) => `${page}: ${code}`),
    );
    expect(unnamed).toEqual([]);
  });

  it("have at most 110 lines", () => {
    expect(guides.filter((page) => read(page).split("\n").length > 111)).toEqual([]);
  });
});
