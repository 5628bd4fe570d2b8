import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { placedQuantizers, sqa } from "../../src/defenses/index.js";
import { models } from "../../src/models/index.js";
import { parameterCount } from "../../src/nn/index.js";
import { expectPass, golden, goldenArchitecture } from "./residual-golden.js";

const published = golden("residual-networks.json");
const variants = golden("residual-variants.json");

describe.each(Object.entries(published.networks))("%s", (name, { parameters, tensors, sha256 }) => {
  test("has the published number of parameters, and PyTorch's names and shapes", () => {
    const { module } = goldenArchitecture(name).build({ seed: 0 });
    const rows = [...module.state()].map(([key, { shape }]) => `${key} [${shape.join(",")}]`).sort();
    expect(parameterCount(module)).toBe(parameters);
    expect(rows).toHaveLength(tensors);
    expect(createHash("sha256").update(rows.join("\n")).digest("hex")).toBe(sha256);
    module.dispose();
  });
});

/** These values were made with the shortcut that starts at the first activation. */
const asPublished = (network: string) =>
  network === "preact-resnet18" ? "preact-resnet18(shortcut=activation)" : network;

const passes = [
  ...published.passes.map((pass) => ({ ...pass, network: asPublished(pass.network) })),
  ...variants.passes,
].map((pass) => [pass.network, pass.training ? "in training" : "in evaluation", pass] as const);

test.each(passes)("%s %s computes what PyTorch does, forward and backward", (network, _, pass) => {
  expectPass(goldenArchitecture(network), pass);
});

test.each(["resnet18", "preact-resnet18", "resnet50"])(
  "%s can be narrower, with the same names and places of SQA",
  (name) => {
    const built = [`${name}(width=8)`, name].map((text) =>
      models.parse(text).build({ seed: 0, defenses: [sqa()] }),
    );
    const [narrow, wide] = built;
    const shapes = (model: typeof narrow) =>
      [...model!.module.state()].map(([key, { shape }]) => [key, shape] as const);
    // Channels of images, classes, single numbers and kernels' sides stay as they are.
    const narrowed = shapes(wide).map(([key, shape]) => [key, shape.map((n) => (n >= 64 ? n / 8 : n))]);
    expect(shapes(narrow)).toEqual(narrowed);
    const placesOf = (model: typeof narrow) => placedQuantizers(model!.module).map(([place]) => place);
    expect(placesOf(narrow)).toEqual(placesOf(wide));
    for (const { module } of built) module.dispose();
  },
);

test.each([
  ["resnet81", 'unknown model "resnet81"; did you mean "resnet18"?'],
  ["resnet18(class=10)", 'unknown option "class"; did you mean "classes"?'],
  ["resnet18(classes=1)", 'option "classes" cannot be 1; accepted: a whole number in [2, 100000]'],
  ["resnet18(width=0)", 'option "width" cannot be 0; accepted: a whole number in [1, 1024]'],
  ["small(large())", "model small: takes options such as a=1, given large()"],
])("%s is refused", (text, message) => {
  expect(() => models.parse(text)).toThrow(message);
});
