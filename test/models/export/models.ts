import { deriveSeed } from "../../../src/base/index.js";
import { type DefenseText, defenses } from "../../../src/defenses/index.js";
import {
  countedUniform,
  imageIdRange,
  type Noise,
  noGrad,
  scope,
  type Tensor,
} from "../../../src/engine/index.js";
import { type Defense, type Model, modelOf, models } from "../../../src/models/index.js";
import { wideResnet } from "../../../src/models/wide-resnet.js";
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  GELU,
  GroupNorm,
  LayerNorm,
  LeakyReLU,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  Tanh,
} from "../../../src/nn/index.js";

/** Noise of as many images. */
export const noiseOf = (count: number, draw = 0): Noise => ({
  seed: deriveSeed(0),
  draw,
  imageIds: imageIdRange(0, count),
});

/** The same images each time, uniform in [0, 1]. */
export const imagesFor = ({ inputShape }: Pick<Model, "inputShape">, count: number): Tensor =>
  countedUniform({ ...noiseOf(count), seed: deriveSeed(1) }, 0, inputShape);

/** Gives batch normalization the statistics of some images, as training does. */
function withStatistics(model: Model): Model {
  const layers = model.module
    .namedModules()
    .flatMap(([, layer]) => (layer instanceof BatchNorm2d ? [layer] : []));
  const before = layers.map(({ momentum }) => momentum);
  for (const layer of layers) Object.assign(layer, { momentum: 1 });
  const pass = { training: true, noise: noiseOf(8, 1) };
  if (layers.length > 0) scope(() => noGrad(() => void model.module.apply(imagesFor(model, 8), pass)));
  for (const [i, layer] of layers.entries()) Object.assign(layer, { momentum: before[i] });
  return model;
}

/**
 * Makes the branches of residual blocks small beside their shortcuts, and shifts channels, as training does.
 * Without it, untrained networks of many blocks make an error of the last bit a hundred times as large, and
 * channels that are all alike have an activation of 0, whose sign rounding decides.
 */
function withSmallBranches(model: Model): Model {
  const layers = new Map(model.module.namedModules());
  for (const [i, [name, layer]] of [...layers].entries()) {
    if (!(layer instanceof BatchNorm2d)) continue;
    const isLast = name.endsWith(".bn3") || (name.endsWith(".bn2") && !layers.has(name.replace(/2$/, "3")));
    scope(() => {
      if (isLast) layer.weight.detach().mul_(0.2);
      const shifts = countedUniform({ ...noiseOf(1), seed: deriveSeed(2) }, i, layer.bias.shape);
      layer.bias.detach().add_(shifts.select(0, 0).sub(0.5).mul(0.2));
    });
  }
  return model;
}

/** Wide residual networks have no option that makes them narrow: the smallest of their kind. */
const narrowWide = wideResnet(10, 1);

/** Names of the package's architectures, with the wide ones by their smallest. */
export const architectures = [...models.names.filter((name) => !name.startsWith("wide")), "wide-resnet-10-1"];

/** A small model of an architecture, with running statistics as after training. */
export function builtModel(
  name: string,
  used: readonly (Defense | DefenseText)[] = [],
  options: object = {},
): Model {
  const definition = models.names.includes(name) ? models.definition(name) : undefined;
  const shape = definition?.options.shape ?? narrowWide.options?.shape ?? {};
  const narrow = "width" in shape ? { width: 8 } : {};
  const normalized = /resnet/.test(name) ? { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] } : {};
  const given = { ...narrow, ...normalized, ...options };
  const architecture =
    definition === undefined ? narrowWide(given as never) : definition.make(given as never);
  const model = architecture.build({ seed: 1, defenses: used.map((given) => defenses.of(given)) });
  return withStatistics(/resnet(34|50|101)/.test(name) ? withSmallBranches(model) : model);
}

/** A network of every layer of the package that no architecture has. */
export function everyLayer(): Model {
  const network = (seed: number) =>
    new Sequential([
      [
        "conv",
        new Conv2d(3, 8, [3, 2], { seed, padding: [2, 1], stride: [1, 2], dilation: [2, 1], bias: false }),
      ],
      ["bn", new BatchNorm2d(8, { epsilon: 1e-3 })],
      ["leaky", new LeakyReLU(0.2)],
      ["grouped", new Conv2d(8, 8, 3, { seed, groups: 4, padding: 1 })],
      ["norm", new GroupNorm(2, 8)],
      ["gelu", new GELU()],
      ["average", new AvgPool2d(3, { stride: 2, padding: 1, countPadding: false })],
      ["tanh", new GELU({ approximation: "tanh" })],
      ["most", new MaxPool2d([2, 3], { stride: 1, padding: 1, dilation: [2, 1] })],
      ["silu", new SiLU()],
      ["mean", new AvgPool2d(2, { stride: 1, padding: 1 })],
      ["drop", new Dropout(0.3)],
      ["adaptive", new AdaptiveAvgPool2d([3, 2])],
      ["layer", new LayerNorm([3, 2])],
      ["rows", new Linear(2, 5, { seed })],
      ["squash", new Tanh()],
      ["flatten", new Flatten()],
      ["fc1", new Linear(120, 20, { seed, bias: false })],
      ["last", new LayerNorm(20)],
      ["sigmoid", new Sigmoid()],
      ["fc2", new Linear(20, 4, { seed })],
    ]);
  const options = { name: "every-layer", inputShape: [3, 13, 18], classes: 4 } as const;
  return withStatistics(modelOf(network, options).build({ seed: 3 }));
}

/** A network that shows its quantizer: ReLU of the pixels, quantized, as logits. */
export function bareQuantizer(text: DefenseText): Model {
  const network = () => new Sequential({ relu: new ReLU(), flatten: new Flatten() });
  const options = { name: "bare", inputShape: [3, 3, 5], classes: 45 } as const;
  return modelOf(network, options).build({ seed: 0, defenses: [defenses.parse(text)] });
}

/** A layer of weights that a one-hot image shows, a column of them. */
export function bareWeights(text: DefenseText): Model {
  const network = (seed: number) =>
    new Sequential({ flatten: new Flatten(), fc: new Linear(6, 5, { seed, bias: false }) });
  const options = { name: "weights", inputShape: [1, 2, 3], classes: 5 } as const;
  const model = modelOf(network, options).build({ seed: 0, defenses: [defenses.parse(text)] });
  scope(() => model.module.state().get("fc.weight")!.detach().mul_(3));
  return model;
}
