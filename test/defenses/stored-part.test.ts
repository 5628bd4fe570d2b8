import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { densityPart, PixelCnn, partNotes, pixelDefend } from "../../src/defenses/index.js";
import { countedUniform, imageIdRange, noGrad } from "../../src/engine/index.js";
import { writeSealed } from "../../src/files/index.js";
import { small } from "../../src/models/index.js";
import { partsFolder } from "./parts.js";

const { folder, remove } = partsFolder();
afterAll(remove);
const sizes = { channels: 1, filters: 2, layers: 1, mixtures: 1 };
type Tensors = Parameters<typeof writeSealed>[1];
const tensors: Tensors = [...new PixelCnn(sizes, 0).state()].map(([name, value]) => [
  name,
  { dtype: "float32", shape: value.shape, data: value.toArray() as Float32Array },
]);

/** Model with a density model of a file that is written first. */
function built(name: string, notes: Record<string, string>, written: Tensors = tensors) {
  const density = join(folder, `${name}.safetensors`);
  writeSealed(density, written, notes);
  return small().build({ seed: 0, defenses: [pixelDefend({ density })] });
}

describe("files of trained parts", () => {
  it("are read where they are whole", () => {
    expect(built("whole", partNotes(densityPart, sizes)).defenses).toHaveLength(1);
  });

  it.each([
    ["no notes", {}, "holds weights of no defense, not a density model; sqa density trains one"],
    ["no sizes", { part: "density model" }, "sizes: "],
    ["no JSON", { part: "density model", sizes: "{" }, "sizes: "],
    ["too large", partNotes(densityPart, { ...sizes, filters: 100_000 }), "sizes: filters: Too big"],
    ["other sizes", partNotes(densityPart, { ...sizes, layers: 2 }), "the weights do not fit"],
    ["other shapes", partNotes(densityPart, { ...sizes, filters: 3 }), "must have shape"],
  ])("are refused with %s", (name, notes, message) => {
    expect(() => built(name, notes)).toThrow(message);
    expect(() => built(name, notes)).toThrow(join(folder, `${name}.safetensors`));
  });

  it("are refused with numbers that are none", () => {
    const [[name, first], ...rest] = tensors as [Tensors[0], ...Tensors];
    const data = (first.data as Float32Array).slice().fill(Number.NaN);
    const broken = [[name, { ...first, data }], ...rest] as Tensors;
    expect(() => built("broken", partNotes(densityPart, sizes), broken)).toThrow(
      `weight "${name}" holds NaN or infinity`,
    );
  });
});

it.each([
  [16 / 255, 16],
  [0.061, 15],
  [0.5 / 255, 0],
])("PixelDefend changes no pixel by more than epsilon %d", (epsilon, most) => {
  const density = join(folder, "whole.safetensors");
  writeSealed(density, tensors, partNotes(densityPart, sizes));
  const { module, inputShape } = small({ inputShape: [1, 16, 16] }).build({
    seed: 0,
    defenses: [pixelDefend({ density, epsilon })],
  });
  const noise = { seed: { low: 1, high: 2 }, draw: 0, imageIds: imageIdRange(0, 1) };
  const images = countedUniform(noise, 0, inputShape).mul(255).round().div(255);
  const purifier = module.inputTransforms[0]!;
  const changed = noGrad(() => purifier.apply(images, { training: false, noise }).sub(images));
  expect(Math.round(changed.abs().amax().item() * 255)).toBe(most);
});
