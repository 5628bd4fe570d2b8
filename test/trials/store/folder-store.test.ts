import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fgsm, pgd } from "../../../src/attacks/index.js";
import { FileFormatError } from "../../../src/base/index.js";
import { tensor } from "../../../src/engine/index.js";
import { readSafetensors, writeSafetensors } from "../../../src/files/index.js";
import { type BatchPlan, type BatchRecord, FolderStore, whiteBox } from "../../../src/trials/index.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-store-"));
afterAll(() => rmSync(folder, { recursive: true }));

const trial = whiteBox(pgd());
const plan: BatchPlan = { first: 10, count: 2, draws: 5, shape: [1, 2, 2] };
const record: BatchRecord = {
  count: 2,
  even: [3, 0],
  odd: [2, 1],
  majority: [1, 0],
  evenVote: [1, 0],
  oddVote: [1, 0],
  draws: 5,
  lengths: [0.1, 0.3],
  norm: "linf",
  passes: { forward: 80, backward: 80 },
  seconds: 0.5,
};
const images = tensor(
  Float32Array.from({ length: 8 }, (_, i) => i / 8),
  [2, 1, 2, 2],
);

/** A store that holds the batch, and the paths of its two files. */
function kept(): { store: FolderStore; json: string; safetensors: string } {
  const store = new FolderStore(mkdtempSync(join(folder, "kept-")));
  store.write(trial, plan, record, images);
  const files = readdirSync(store.folder, { recursive: true, encoding: "utf8" });
  const path = (end: string) => join(store.folder, files.find((name) => name.endsWith(end))!);
  return { store, json: path(".json"), safetensors: path(".safetensors") };
}

/** Changes what a kept record says. */
function edit(file: string, change: object): void {
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, "utf8")) as object), ...change }));
}

describe("a folder of trials", () => {
  it("gives back what it was given", () => {
    const { store } = kept();
    expect(store.read(trial, plan)).toEqual(record);
    expect(store.images(trial, plan).toNumbers()).toEqual(images.toNumbers());
    expect(store.read(trial, { ...plan, first: 12 })).toBeUndefined();
    expect(store.read(trial, { ...plan, count: 1 })).toBeUndefined();
    expect(store.read(whiteBox(fgsm()), plan)).toBeUndefined();
  });

  it("takes a batch without its images for none", () => {
    const { store, safetensors } = kept();
    rmSync(safetensors);
    expect(existsSync(safetensors)).toBe(false);
    expect(store.read(trial, plan)).toBeUndefined();
  });

  it.each([
    [{ even: [3] }, "even must have 2 values, not 1"],
    [{ lengths: [] }, "lengths must have 2 values, not 0"],
    [{ even: [4, 0] }, "even must hold at most 3 correct answers an image, not 4"],
    [{ odd: [2, 3] }, "odd must hold at most 2 correct answers an image, not 3"],
    [{ odd: [2, -1] }, "odd.1: "],
    [{ majority: [1, 2] }, "majority.1: "],
    [{ count: 3 }, "count must be 2, not 3"],
    [{ draws: 4 }, "draws must be 5, not 4"],
    [{ evenVote: undefined }, "evenVote: "],
    [{ lengths: [0.1, null] }, "lengths.1: "],
    [{ passes: { forward: 1 } }, "passes.backward: "],
    [{ id: "fgsm" }, "not of the trial that its folder is named after"],
    [{ seconds: 0.6 }, "its checksum is not that of its numbers and images"],
    [{ even: [2, 0] }, "its checksum is not"],
    [{ sha256: "0" }, "its checksum is not"],
  ])("refuses a record with %j", (change, message) => {
    const { store, json } = kept();
    edit(json, change);
    const read = () => store.read(trial, plan);
    expect(read).toThrow(FileFormatError);
    expect(read).toThrow(`${json}: ${message}`);
    expect(read).toThrow("; delete it to run that batch again");
  });

  it("refuses images of which a bit was flipped", () => {
    const { store, json, safetensors } = kept();
    const { data } = readSafetensors(safetensors).tensors.get("images")!;
    const flipped = Float32Array.from(data as Float32Array);
    new Uint32Array(flipped.buffer)[3]! ^= 1;
    writeSafetensors(safetensors, [["images", { dtype: "float32", shape: images.shape, data: flipped }]]);
    expect(() => store.read(trial, plan)).toThrow(`${json}: its checksum is not`);
  });

  it("keeps notes, and has none where the file is damaged", () => {
    const { store } = kept();
    expect(store.readNote("passes")).toBeUndefined();
    store.writeNote("passes", { pgd: 40 });
    expect(store.readNote("passes")).toEqual({ pgd: 40 });
    writeFileSync(join(store.folder, "passes.json"), '{"pgd": 4');
    expect(store.readNote("passes")).toBeUndefined();
  });

  it.each(["", "[]", "null", '{"label": "pgd', "7"])("refuses a record of %j", (text) => {
    const { store, json } = kept();
    writeFileSync(json, text);
    expect(() => store.read(trial, plan)).toThrow(`${json}: `);
  });

  it("refuses images that are cut short, of another number, or no images", () => {
    const { store, safetensors } = kept();
    const read = () => store.read(trial, plan);
    const write = (name: string, shape: number[], pixel: number) =>
      writeSafetensors(safetensors, [
        [
          name,
          { dtype: "float32", shape, data: new Float32Array(shape.reduce((a, b) => a * b)).fill(pixel) },
        ],
      ]);
    truncateSync(safetensors, 100);
    expect(read).toThrow(`${safetensors}: `);
    write("images", [1, 1, 2, 2], 0.5);
    expect(read).toThrow(`${safetensors}: holds images of [1, 1, 2, 2], not [2, 1, 2, 2]; delete it`);
    write("pictures", [2, 1, 2, 2], 0.5);
    expect(read).toThrow(`${safetensors}: holds no float32 tensor "images"; delete it`);
    for (const pixel of [Number.NaN, 1.5]) {
      write("images", [2, 1, 2, 2], pixel);
      expect(read).toThrow(`${safetensors}: pixels outside [0, 1]; delete it`);
    }
  });
});
