import { checkKind, checkOptionNames, isObject, unknownName } from "../base/index.js";
import type { Classifier, LevelFacts, Precision } from "../nn/index.js";
import { classifierOf, isRandomized, Module, Normalize, precisions } from "../nn/index.js";
import type { Value } from "../options/index.js";

/** Channels, height and width of an image. */
export type ImageShape = readonly [channels: number, height: number, width: number];

/** Mean and standard deviation of each channel, for pixels in [0, 1]. */
export interface ChannelStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Form of a data set's images, which an architecture can be fitted to. */
export interface ImageFormat {
  readonly imageShape: ImageShape;
  readonly classNames: readonly string[];
  readonly statistics: ChannelStatistics;
}

/**
 * Layers whose output a defense can follow, by their place in the network: `first-layer`, `second-layer`,
 * `blocks`, `stages` and the like. A model names them and knows no defense.
 */
export type Activations = Readonly<Record<string, readonly string[]>>;

/** Work of a defense on a model. */
export interface DefenseWork {
  /** True where it makes answers differ from draw to draw. */
  readonly randomized: boolean;
  /** Advice to an attacker, in a sentence. */
  readonly advice: string;
  /** Changes a newly built model in place. RangeError when the model has no place for it. */
  apply(model: Model): void;
  /** Classifiers that an attacker should use in the model's place, by name. */
  surrogates(model: Model): Readonly<Record<string, Classifier>>;
  /** Changes the weights after each update of training, where it must. */
  afterUpdate?(model: Model): void;
  /**
   * Reason why a model with it cannot be written as ONNX, and the way out, as in "searches for ...: leave it
   * out". Left out where its modules have forms.
   */
  readonly noOnnx?: string;
  /**
   * SHA-256 of the file that its options name, such as a trained part; undefined where that is gone. Left out
   * where the options say all.
   */
  fileSha256?(): string | undefined;
  /** Levels that it makes of pixels, where the model takes weights of them in their place; else undefined. */
  levels?(model: Model): LevelFacts | undefined;
}

/** Defense with its options, such as `sqa()`. */
export interface Defense extends DefenseWork, Value {
  readonly name: string;
}

/** Ways to see a model as a classifier. */
export interface ClassifierOptions {
  /** Without the noise of its defenses; false where left out. */
  readonly noiseFree?: boolean;
  /**
   * Gradient of quantizers: straight-through (where left out), staircase or range. Any of them opens the
   * straight-through gradient of SAP and thermometer codes.
   */
  readonly quantizerGradient?: string;
  /** Without what changes images before the model, such as PixelDefend, where false; true where left out. */
  readonly purified?: boolean;
  /** Precision of layers; what is reported is in float32, the default. */
  readonly precision?: Precision;
}

/**
 * Throws for options that a classifier does not have: they would be passed over, and another one attacked.
 */
function checkClassifierOptions(options: ClassifierOptions): void {
  checkKind("options", options, "an object such as { noiseFree: true }", isObject(options));
  checkOptionNames(options, ["noiseFree", "quantizerGradient", "purified", "precision"]);
  const { precision } = options;
  for (const name of ["noiseFree", "purified"] as const)
    checkKind(name, options[name], "true or false", ["undefined", "boolean"].includes(typeof options[name]));
  if (precision !== undefined && !precisions.includes(precision))
    throw unknownName("precision", precision, precisions);
}

/** Facts about the graph of an exported model. */
export interface GraphFacts {
  /** Format with its version and the program that wrote it. */
  readonly format: string;
  /**
   * SHA-256 of operators, attributes, connections, shapes and indices; neither of names nor of weights,
   * among which scales and zero points of quantized values are counted.
   */
  readonly sha256: string;
  readonly operators: number;
  /** Operators that block gradients between images and logits, with the names of their nodes. */
  readonly blocked: readonly string[];
  /** Random operators that the logits depend on, with the names of their nodes. */
  readonly random: readonly string[];
  /** Operators by which it normalizes images itself; `statistics` where they are a mean and a deviation. */
  readonly normalization?: {
    readonly operators: readonly string[];
    readonly statistics?: ChannelStatistics | undefined;
  };
}

/** Module with what it takes and what it answers, and the defenses in it. */
export interface Model {
  readonly name: string;
  readonly module: Module;
  readonly inputShape: ImageShape;
  readonly classes: number;
  readonly classNames: readonly string[];
  readonly activations: Activations;
  /** True where the module is its user's, who frees it; false where left out. */
  readonly borrowed?: boolean;
  /**
   * Text of all that decides the answers and gradients of a user's own model beside weights and defenses,
   * such as a hash of its code or file; left out by architectures of a kind, whose name says it.
   */
  origin?(): string;
  /** Findings in the file that it comes from, each a sentence without a full stop; none where left out. */
  readonly notes?: readonly string[];
  /** Of an exported model, facts about its graph; left out by others. */
  readonly graph?: GraphFacts | undefined;
  /** In the order in which they were applied. */
  readonly defenses: readonly Defense[];
  /** The model in evaluation mode, as attacks and evaluation see it. */
  classifier(options?: ClassifierOptions): Classifier;
}

/** Parts of a model before its defenses. */
export interface ModelParts extends Omit<Model, "defenses" | "classifier"> {
  /** Taken out of the images first; undefined for none. */
  readonly normalize?: ChannelStatistics | undefined;
}

/** Names "0", "1", ... for classes that have none. */
export function numberedClasses(classes: number): string[] {
  return Array.from({ length: classes }, (_, label) => String(label));
}

/** Puts a model together: preprocessing first, then its defenses in their order. */
export function modelFrom({ normalize, ...parts }: ModelParts, defenses: readonly Defense[]): Model {
  const { name, module, inputShape, classes } = parts;
  // The first weights are drawn now, by the names that they have here: whatever the network becomes a part
  // of.
  module.state();
  if (normalize !== undefined) module.inputTransforms.unshift(new Normalize(normalize.mean, normalize.std));
  // Of noise that is the model's own, no defense's.
  const isRandom = isRandomized(module);
  const own = () => (isRandom ? { "noise-free": model.classifier({ noiseFree: true }) } : {});
  const model: Model = {
    ...parts,
    defenses,
    classifier(options = {}) {
      checkClassifierOptions(options);
      const { noiseFree, quantizerGradient, purified, precision } = options;
      const isSurrogate = noiseFree === true || quantizerGradient !== undefined || purified === false;
      return classifierOf(module, {
        name: `model ${name}`,
        inputShape,
        classes,
        noiseFree,
        quantizerGradient,
        purified,
        precision,
        surrogates: () =>
          isSurrogate ? {} : Object.assign(own(), ...defenses.map((defense) => surrogatesOf(defense, model))),
        levels: () => defenses.map((defense) => defense.levels?.(model)).find((found) => found !== undefined),
      });
    },
  };
  for (const defense of defenses) applyDefense(defense, model);
  return model;
}

/** Applies a defense. TypeError where its writer made `apply` async, or transforms that are no modules. */
function applyDefense(defense: Defense, model: Model): void {
  const made: unknown = defense.apply(model);
  const name = `defense ${defense.name}`;
  checkKind(`${name}: apply`, made, "a function that is not async", !(made instanceof Promise));
  for (const transform of model.module.inputTransforms)
    checkKind(`${name}: an element of inputTransforms`, transform, "a Module", transform instanceof Module);
}

/** Surrogates that a defense names. TypeError for any that are no classifiers. */
function surrogatesOf(defense: Defense, model: Model): Readonly<Record<string, Classifier>> {
  const given: unknown = defense.surrogates(model);
  const accepted = "a function that returns an object of classifiers, or {}";
  const isClassifier = (one: unknown) => isObject(one) && typeof one.logits === "function";
  const fits = isObject(given) && !(given instanceof Promise) && Object.values(given).every(isClassifier);
  checkKind(`defense ${defense.name}: surrogates`, given, accepted, fits);
  return given as Readonly<Record<string, Classifier>>;
}

/** Tells whether something is a model. */
export function isModel(given: unknown): given is Model {
  return (
    isObject(given) && typeof given.classifier === "function" && "module" in given && "defenses" in given
  );
}

/** Throws a TypeError unless defenses are a list of defenses. */
export function checkDefenses(defenses: readonly Defense[]): void {
  checkKind("defenses", defenses, "a list of defenses such as [sqa()]", Array.isArray(defenses));
  for (const defense of defenses) {
    const fits =
      isObject(defense) && typeof defense.apply === "function" && typeof defense.surrogates === "function";
    checkKind("a defense", defense, "a value such as sqa()", fits);
  }
}
