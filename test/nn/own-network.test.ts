// Networks of a user's own, trained by hand: five classes of color images.
import { expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { placeAfter, quantizer } from "../../src/defenses/index.js";
import { grad, imageIdRange, normal, scope, type Tensor, tensor } from "../../src/engine/index.js";
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  adam,
  BatchNorm2d,
  Conv2d,
  classifierOf,
  Dropout,
  Flatten,
  GELU,
  GroupNorm,
  isRandomized,
  LayerNorm,
  LeakyReLU,
  Linear,
  MaxPool2d,
  Module,
  meanCrossEntropy,
  type Pass,
  ReLU,
  Sequential,
  SiLU,
} from "../../src/nn/index.js";

/** Plain layers one after another, for images of 64 x 64. */
const plain = (seed: number) =>
  new Sequential({
    conv1: new Conv2d(3, 16, 3, { padding: 1, seed }),
    norm1: new BatchNorm2d(16),
    relu1: new ReLU(),
    pool1: new MaxPool2d(4),
    conv2: new Conv2d(16, 32, 3, { padding: 1, seed }),
    relu2: new ReLU(),
    pool2: new MaxPool2d(4),
    flatten: new Flatten(),
    drop: new Dropout(0.2),
    fc: new Linear(32 * 16, 5, { seed }),
  });

/** Adds normal noise of a deviation: a random layer in a few lines. */
class Noisy extends Module {
  constructor(readonly deviation: number) {
    super();
  }

  override get randomized(): boolean {
    return true;
  }

  protected override forward(input: Tensor, { noise }: Pass): Tensor {
    return input.add(normal(noise, input.shape.slice(1), this.noiseStream), this.deviation);
  }
}

/** A residual block with a depthwise convolution. */
class Block extends Module {
  readonly depthwise: Conv2d;
  readonly norm: GroupNorm;
  readonly act = new GELU();
  readonly pointwise: Conv2d;

  constructor(channels: number, seed: number) {
    super();
    this.depthwise = new Conv2d(channels, channels, 3, { padding: 2, dilation: 2, groups: channels, seed });
    this.norm = new GroupNorm(2, channels);
    this.pointwise = new Conv2d(channels, channels, 1, { seed });
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const inner = this.act.apply(this.norm.apply(this.depthwise.apply(input, pass), pass), pass);
    return this.pointwise.apply(inner, pass).add(input);
  }
}

const own = (seed: number) =>
  new Sequential({
    stem: new Conv2d(3, 8, 3, { stride: 2, padding: 1, seed }),
    act: new LeakyReLU(),
    noise: new Noisy(0.1),
    block1: new Block(8, seed),
    block2: new Block(8, seed),
    pool: new AvgPool2d(2),
    mean: new AdaptiveAvgPool2d([2, 2]),
    flatten: new Flatten(),
    norm: new LayerNorm(32),
    drop: new Dropout(0.1),
    hidden: new Linear(32, 16, { seed }),
    silu: new SiLU(),
    fc: new Linear(16, 5, { seed }),
  });

/** Images whose class is the place of a bright square. */
function images(count: number, side: number): { images: Tensor; labels: Tensor } {
  const pixels = new Float32Array(count * 3 * side * side);
  for (let i = 0; i < pixels.length; i++) {
    const [image, row] = [Math.floor(i / (3 * side * side)), Math.floor(i / side) % side];
    pixels[i] = Math.floor((5 * row) / side) === image % 5 ? 0.9 : 0.2 + 0.2 * Math.sin(1.7 * i);
  }
  const classes = Array.from({ length: count }, (_, i) => i % 5);
  return { images: tensor(pixels, [count, 3, side, side]), labels: tensor(classes, [count], "int64") };
}

/** The losses of some steps, and the share of right answers after them. */
function trained(network: Module, side: number, steps: number) {
  const count = 40;
  const { images: inputs, labels } = images(count, side);
  const parameters = network.parameters();
  const optimizer = adam().on(parameters);
  const noise = (draw: number) => ({ seed: deriveSeed(1), draw, imageIds: imageIdRange(0, count) });
  const losses = Array.from({ length: steps }, (_, draw) =>
    scope(() => {
      const logits = network.apply(inputs, { training: true, noise: noise(draw) });
      const loss = meanCrossEntropy(logits, labels);
      optimizer.step(grad(loss, [...parameters.values()]), 0.01);
      return loss.item();
    }),
  );
  const form = { inputShape: [3, side, side], classes: 5, randomized: isRandomized(network) } as const;
  const answers = classifierOf(network, form).logits(inputs, noise(0)).argmax(1);
  return { losses, accuracy: answers.eq(labels).to("float32").mean().item(), randomized: form.randomized };
}

test("plain layers one after another learn, with SQA after a layer by name", () => {
  const network = placeAfter(plain(0), { relu1: quantizer({ lambda: 2 }) });
  const { losses, accuracy } = trained(network, 64, 15);
  expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
  expect(accuracy).toBeGreaterThan(0.9);
});

test("a network of many kinds of layers learns, and a second run has the same losses to the bit", () => {
  const [first, second] = [trained(own(3), 16, 40), trained(own(3), 16, 40)];
  expect(first.accuracy).toBeGreaterThan(0.9);
  expect(first.losses).toEqual(second.losses);
  expect(first.randomized).toBe(true);
  expect(trained(own(4), 16, 1).losses).not.toEqual(first.losses.slice(0, 1));
});
