import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { TensorBoardWriter } from "../../src/files/index.js";
import { crc32c } from "../../src/files/tensorboard/crc32c.js";
import { imagePng } from "../../src/report/index.js";
import { readEventFile, slowCrc32c } from "./event-records.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-tensorboard-"));
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  // RFC 3720, B.4, and the check value of CRC catalogues.
  [new Uint8Array(32), 0x8a9136aa],
  [new Uint8Array(32).fill(0xff), 0x62a8ab43],
  [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  [Buffer.from("123456789"), 0xe3069283],
])("CRC-32C of %j", (bytes, crc) => {
  expect([crc32c(bytes), slowCrc32c(bytes)]).toEqual([crc, crc]);
});

describe("an event file", () => {
  it("is read back by a reader that is not its writer's", () => {
    let now = 1_700_000_000_000;
    const writer = new TensorBoardWriter(join(folder, "tb"), 300, () => now);
    const png = imagePng(Uint8Array.of(0, 255, 7, 9, 1, 2), [1, 2, 3]);
    now += 1500;
    writer.add(301, [{ tag: "training/loss", scalar: 0.1 }]);
    writer.add(2 ** 40, [
      { tag: "an image", png, height: 2, width: 3 },
      { tag: "a text", text: "naïve ✓" },
      { tag: "no number", scalar: Number.NaN },
    ]);
    expect(readEventFile(readFileSync(writer.path))).toHaveLength(2);
    writer.flush();
    expect(basename(writer.path)).toMatch(/^events\.out\.tfevents\.1700000000\.[\w.-]+\.\d+\.\d+$/);
    expect(readEventFile(readFileSync(writer.path))).toEqual([
      { wallTime: 1_700_000_000, step: 0, fileVersion: "brain.Event:2", values: [] },
      { wallTime: 1_700_000_000, step: 301, started: true, values: [] },
      {
        wallTime: 1_700_000_001.5,
        step: 301,
        values: [{ tag: "training/loss", scalar: Math.fround(0.1), plugin: "scalars" }],
      },
      {
        wallTime: 1_700_000_001.5,
        step: 2 ** 40,
        values: [
          { tag: "an image", image: { height: 2, width: 3, png: Buffer.from(png) }, plugin: "images" },
          { tag: "a text", text: "naïve ✓", plugin: "text" },
          { tag: "no number", scalar: Number.NaN, plugin: "scalars" },
        ],
      },
    ]);
  });

  it("is another for each sitting, and a damaged one is found out by its CRCs", () => {
    const [first, second] = [0, 0].map((step) => new TensorBoardWriter(join(folder, "two"), step));
    expect(first!.path).not.toBe(second!.path);
    const data = Buffer.from(readFileSync(first!.path));
    data[data.length - 6]! ^= 1;
    expect(() => readEventFile(data)).toThrow("data");
  });
});
