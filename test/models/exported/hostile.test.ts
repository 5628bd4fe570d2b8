import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readChanged } from "./changed-models.js";
import { mutated } from "./mutations.js";
import { mutatedOnnx } from "./onnx/onnx-mutations.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-hostile-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Files that are tried here; `npm run test:hard` tries others, and more of them. */
const count = 300;

test.each([
  ["model.pt2", mutated],
  ["model.onnx", mutatedOnnx],
])(
  `changed files of %s end in an error that names the file, or are read: ${count} of them`,
  { timeout: 3_600_000 },
  async (name, change) => {
    const { read, refused } = await readChanged(join(folder, name), change, { first: 0, count });
    expect(refused).toBeGreaterThan(count / 4);
    expect(read).toBeGreaterThan(0);
  },
);
