import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { encodeStoredZip } from "../../../src/files/archives/zip-writer.js";
import { readPt2, readStoredZip, spannedBytes } from "../../../src/files/index.js";
import { fixture } from "../../models/exported/fixtures.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-pt2-"));
afterAll(() => rmSync(folder, { recursive: true }));

const original = readStoredZip(readFileSync(fixture("transformer")), "transformer");
const weights = "transformer/data/weights/model_weights_config.json";
const model = "transformer/models/model.json";

type Json = Record<string, never>;

/** Reads the archive with one of its JSON files changed. */
function changed(name: string, change: (json: never) => void, more: Record<string, string> = {}) {
  const json = JSON.parse(Buffer.from(original.get(name)!).toString()) as Json;
  change(json as never);
  const files = new Map<string, Uint8Array>([...original, [name, Buffer.from(JSON.stringify(json))]]);
  for (const [path, text] of Object.entries(more)) files.set(path, Buffer.from(text));
  const file = join(folder, "model.pt2");
  writeFileSync(file, encodeStoredZip(files));
  return readPt2(file);
}

type Meta = {
  sizes: { as_int: number }[];
  strides: { as_int: number }[];
  storage_offset: { as_int: number };
  dtype: number;
};
type Config = { config: Record<string, { use_pickle: boolean; path_name: string; tensor_meta: Meta }> };

const ofWeight = (change: (entry: Config["config"][string]) => void) => () =>
  changed(weights, ({ config }: Config) => change(config.turned!));

describe("a .pt2 archive", () => {
  it("is data: weights with strides, tied ones in one file, constants, the graph", () => {
    const { weights: found, constants, program } = readPt2(fixture("transformer"));
    expect(found.get("turned")).toMatchObject({ shape: [16, 16], strides: [1, 16], type: "float32" });
    expect(found.get("up.weight")!.file).toBe(found.get("again.weight")!.file);
    expect([...constants.values()].map(({ shape }) => shape)).toEqual([[16]]);
    expect(program.schema).toEqual([8, 20]);
    expect(program.nodes.map(({ target }) => target)).toContain(
      "torch.ops.aten.scaled_dot_product_attention.default",
    );
    expect(program.ranges.values().next().value).toEqual({ least: 1, most: 64 });
  });

  it("stays within its files", () => {
    const refused: [RegExp, () => unknown][] = [
      [
        /ends behind the 256 elements/,
        ofWeight(({ tensor_meta }) => (tensor_meta.storage_offset.as_int = 1)),
      ],
      [/ends behind the 256 elements/, ofWeight(({ tensor_meta }) => (tensor_meta.strides[1]!.as_int = 17))],
      [/ends behind the 256 elements/, ofWeight(({ tensor_meta }) => (tensor_meta.sizes[0]!.as_int = 17))],
      [/is no size/, ofWeight(({ tensor_meta }) => (tensor_meta.strides[1]!.as_int = -1))],
      [
        /too many elements/,
        ofWeight(({ tensor_meta }) => {
          tensor_meta.sizes[0]!.as_int = 2 ** 40;
          tensor_meta.strides[0]!.as_int = 0;
        }),
      ],
      [/not one stride for each axis/, ofWeight(({ tensor_meta }) => void tensor_meta.strides.pop())],
      [/element type 9/, ofWeight(({ tensor_meta }) => (tensor_meta.dtype = 9))],
      [/is a pickle .* never read/, ofWeight((entry) => (entry.use_pickle = true))],
      [/which the archive lacks/, ofWeight((entry) => (entry.path_name = "../../etc/passwd"))],
    ];
    for (const [message, read] of refused) expect(read).toThrow(message);
  });

  it("has tensors that take no more of a file than they span, and not many times their file", () => {
    const shared = (tensors: number, count: number) =>
      changed(
        weights,
        ({ config }: Config) => {
          const { tensor_meta, ...entry } = config.turned!;
          for (let i = 0; i < tensors; i++) {
            const one = (as_int: number) => [{ as_int }];
            const meta = {
              ...tensor_meta,
              sizes: one(count),
              strides: one(1),
              storage_offset: { as_int: 8 },
            };
            config[`t${i}`] = { ...entry, path_name: "shared", tensor_meta: meta as Meta };
          }
        },
        { "transformer/data/weights/shared": "x".repeat(2 ** 20) },
      );
    const first = shared(5000, 1).weights.get("t0")!;
    expect(spannedBytes(first)).toHaveLength(4);
    const booleans = spannedBytes({ ...first, type: "bool", shape: [2, 3], strides: [4, 1] });
    expect([...booleans]).toEqual(new Array(7).fill(1));
    expect(spannedBytes({ ...first, shape: [0] })).toHaveLength(0);
    expect(shared(200, 2 ** 16).weights.size).toBeGreaterThan(200);
    expect(() => shared(300, 2 ** 16)).toThrow(/tensors take \d+ bytes, out of \d+: too many share files/);
  });

  it("has a graph of limited size and depth, and one model", () => {
    type Program = { graph_module: { graph: { nodes: unknown[]; deep?: unknown } } };
    const many = ({ graph_module: { graph } }: Program) => {
      graph.nodes = new Array(100_001).fill(graph.nodes[0]);
    };
    expect(() => changed(model, many)).toThrow("graph.nodes has 100001 entries; at most 100000 are read");
    const deep = ({ graph_module: { graph } }: Program) => {
      graph.deep = JSON.parse(`${"[".repeat(80)}${"]".repeat(80)}`);
    };
    expect(() => changed(model, deep)).toThrow("nested deeper than 64 levels");
    expect(() => changed(model, () => {}, { "transformer/models/other.json": "{}" })).toThrow("this has 2");
  });

  it("holds no program: compiled code, TorchScript and pickles are refused with the way out", () => {
    const recipe = /from torch\.export import export, save, Dim/;
    for (const [path, message] of [
      ["transformer/data/aotinductor/model/x.so", /compiled code \(AOTInductor\)/],
      ["transformer/code/__torch__.py", /TorchScript is a program/],
      ["transformer/data.pkl", /sqa import FILE/],
      ["serialized_exported_program.json", /before 2\.8/],
    ] as const) {
      const read = () => changed(model, () => {}, { [path]: "" });
      expect(read).toThrow(message);
      expect(read).toThrow(recipe);
    }
  });
});
