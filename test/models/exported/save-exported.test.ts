import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { scope } from "../../../src/engine/index.js";
import { readStoredZip } from "../../../src/files/index.js";
import { modelFromFile, saveExported, small } from "../../../src/models/index.js";
import { fixture, images, load, noiseOf } from "./fixtures.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-save-exported-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Built = ReturnType<Awaited<ReturnType<typeof load>>["build"]>;

const logitsOf = ({ module }: Built) =>
  scope(() => module.apply(images(3), { training: false, noise: noiseOf(3) }).toNumbers());

describe("a copy of an exported model", () => {
  it.each(["layers", "transformer", "half", "float16"])(
    "of %s has the weights it is given, and gives their logits",
    async (name) => {
      const { module, ...rest } = (await load(name)).build({ seed: 0 });
      const model = { module, ...rest };
      scope(() => {
        for (const value of module.parameters().values()) value.detach().mul_(0.9);
      });
      const to = join(folder, `${name}.pt2`);
      saveExported(fixture(name), model, to);
      const again = (await modelFromFile(to)).build({ seed: 0 });
      expect(logitsOf(again)).toEqual(logitsOf(model));
      expect(logitsOf(again)).not.toEqual(logitsOf((await load(name)).build({ seed: 0 })));
      const other = (await load(name)).build({ seed: 0 });
      expect(() => saveExported(fixture(name), other, to)).toThrow("is there already");
    },
  );

  it("is the same but for its weights", async () => {
    const model = (await load("layers")).build({ seed: 0 });
    const to = join(folder, "same.pt2");
    saveExported(fixture("layers"), model, to);
    const [one, two] = [fixture("layers"), to].map((file) => readStoredZip(readFileSync(file), file));
    expect([...two!.keys()]).toEqual([...one!.keys()]);
    for (const [name, bytes] of one!) expect(Buffer.compare(two!.get(name)!, bytes), name).toBe(0);
  });

  it("is refused of models that come from no such file", () => {
    const model = small().build({ seed: 0 });
    expect(() => saveExported(fixture("layers"), model, join(folder, "x.pt2"))).toThrow(
      "not made of an exported",
    );
  });
});
