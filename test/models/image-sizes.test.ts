import { describe, expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange, noGrad, operators as ops, scope } from "../../src/engine/index.js";
import { type Architecture, type ImageShape, large, models, small } from "../../src/models/index.js";
import { wideResnet } from "../../src/models/wide-resnet.js";

const noise = { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 1) };

/** Shape of every module's output for one gray image, by the module's name. */
function outputShapes(architecture: Architecture): Record<string, readonly number[]> {
  const { module, inputShape } = architecture.build({ seed: 0 });
  const shapes: Record<string, readonly number[]> = {};
  for (const [name, inner] of module.namedModules()) {
    const apply = inner.apply.bind(inner);
    inner.apply = (...given) => {
      const output = apply(...given);
      shapes[name] = output.shape.slice(1);
      return output;
    };
  }
  const output = noGrad(() =>
    scope(() =>
      module.apply(ops.full([1, ...inputShape], 0.5, "float32"), { training: false, noise }).toNumbers(),
    ),
  );
  expect(output.every(Number.isFinite)).toBe(true);
  module.dispose();
  return { ...shapes, logits: [output.length] };
}

const slim = wideResnet(10, 1);
const residual: [string, (options: object) => Architecture, scale: number][] = [
  ["resnet18", (options) => models.definition("resnet18").make({ ...options, width: 4 }), 8],
  ["resnet50", (options) => models.definition("resnet50").make({ ...options, width: 4 }), 8],
  ["preact-resnet18", (options) => models.definition("preact-resnet18").make({ ...options, width: 4 }), 8],
  ["wide-resnet-10-1", (options) => slim(options), 4],
];

describe.each(residual)("%s", (_, make, scale) => {
  const shapes: ImageShape[] = [
    [1, 8, 8],
    [3, 9, 31],
    [4, 64, 40],
    [3, 8, 512],
    [1, 512, 512],
  ];

  test.each(shapes)("takes images of %i channels, %i x %i pixels", (...inputShape) => {
    const { logits, ...others } = outputShapes(make({ inputShape, classes: 7 }));
    expect(logits).toEqual([7]);
    const side = (pixels: number) => Math.ceil(pixels / scale);
    const sides = Object.values(others).filter((shape) => shape.length === 3);
    // The last stage's: a half for each stage but the first, rounded up.
    expect(sides.at(-1)!.slice(1)).toEqual([side(inputShape[1]), side(inputShape[2])]);
  });

  test.each([
    [[3, 7, 32], "7 x 32"],
    [[3, 32, 7], "32 x 7"],
    [[3, 513, 8], "513 x 8"],
    [[3, 8, 4096], "8 x 4096"],
  ])("refuses images of %j", (inputShape, pixels) => {
    expect(() => make({ inputShape })).toThrow(
      new RangeError(`residual networks take images of 8 x 8 to 512 x 512 pixels, not ${pixels}`),
    );
  });
});

describe("the stem for large images", () => {
  const resnet = (stem: string, inputShape: readonly number[]) =>
    models.definition("resnet18").make({ stem, inputShape, width: 4 });

  test("halves them twice before the first stage, as torchvision's does", () => {
    const shapes = outputShapes(resnet("imagenet", [3, 224, 224]));
    expect([shapes.relu, shapes.maxpool, shapes.layer1, shapes.layer4]).toEqual([
      [4, 112, 112],
      [4, 56, 56],
      [4, 56, 56],
      [32, 7, 7],
    ]);
    const { layer1, layer4 } = outputShapes(resnet("cifar", [3, 32, 32]));
    expect([layer1, layer4]).toEqual([
      [4, 32, 32],
      [32, 4, 4],
    ]);
  });

  test("has torchvision's weights: a kernel of 7 x 7, and no other names", () => {
    const [stem, plain] = ["imagenet", "cifar"].map((name) =>
      resnet(name, [3, 64, 64]).build({ seed: 0 }).module.state(),
    );
    expect([...stem!.keys()]).toEqual([...plain!.keys()]);
    expect([stem!.get("conv1.weight")!.shape, plain!.get("conv1.weight")!.shape]).toEqual([
      [4, 3, 7, 7],
      [4, 3, 3, 3],
    ]);
  });

  test.each([8, 512])("takes images of %i pixels a side", (side) => {
    expect(outputShapes(resnet("imagenet", [3, side, side])).logits).toEqual([10]);
  });
});

test("a vanilla CNN takes images of 8 x 8 pixels or more", () => {
  for (const make of [small, large]) {
    expect(outputShapes(make({ inputShape: [2, 8, 17], classes: 3 })).logits).toEqual([3]);
    expect(() => make({ inputShape: [1, 7, 28] }).build({ seed: 0 })).toThrow(
      "a vanilla CNN takes images of 8 x 8 or more, not 7 x 28",
    );
  }
});
