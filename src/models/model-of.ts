import { createHash } from "node:crypto";
import { checkFolderName, checkKind, checkNumber, countText, isObject, unknownName } from "../base/index.js";
import { scope } from "../engine/index.js";
import { Module } from "../nn/index.js";
import { type Architecture, checkedChoice, checkFormat } from "./architecture.js";
import {
  type Activations,
  type ChannelStatistics,
  type Defense,
  type ImageShape,
  type Model,
  type ModelParts,
  modelFrom,
  numberedClasses,
} from "./model.js";
import { moduleText } from "./module-text.js";

/** Facts that a module does not tell of itself. */
export interface ModelOfOptions {
  /** Name in run folders and reports; "own-model" where left out. */
  readonly name?: string | undefined;
  readonly inputShape: ImageShape;
  readonly classes: number;
  readonly classNames?: readonly string[] | undefined;
  /**
   * Mean and standard deviation of each channel that are taken out of the images first; none where left out.
   */
  readonly normalize?: ChannelStatistics | undefined;
  /** Layers that defenses follow where their options name none, such as `{ "first-layer": ["relu1"] }`. */
  readonly activations?: Activations;
}

/**
 * Models that modules given as they are have become part of, with everything that was made of them, and the
 * text of the module as it was before.
 */
const built = new WeakMap<Module, { readonly form: string; readonly model: Model; readonly text: string }>();

/**
 * Model of a module of your own, which goes wherever an architecture goes: to `train`, `evaluate` and
 * `audit`.
 *
 * @param network a function that makes the module for a seed; or a module, which is taken with its weights,
 *   and trained in place
 * @throws TypeError or RangeError for options that do not fit, such as a name that no folder can have
 * @example
 * modelOf((seed) => new Sequential({ flatten: new Flatten(), fc: new Linear(784, 10, { seed }) }), {
 *   name: "linear", inputShape: [1, 28, 28], classes: 10,
 * })
 */
export function modelOf(network: Module | ((seed: number) => Module), options: ModelOfOptions): Architecture {
  checkNetwork(network);
  checkModelOptions(options);
  const { name = "own-model", inputShape, classes, normalize, activations = {} } = options;
  const make = network instanceof Module ? undefined : newModules(network, name);
  let hash: string | undefined;
  return {
    name,
    inputShape,
    classes,
    classNames: options.classNames ?? numberedClasses(classes),
    activations,
    own: {
      get hash() {
        hash ??=
          make === undefined
            ? hashOf(network as Module, options)
            : hashOfFunction(String(network), make, options);
        return hash;
      },
    },
    build(choice) {
      const { seed, defenses = [] } = checkedChoice(choice);
      const { classNames } = this;
      const origin = () =>
        make === undefined ? JSON.stringify(options) + moduleText(network as Module) : this.own!.hash;
      const parts = { name, inputShape, classes, classNames, activations, normalize, origin };
      if (make !== undefined) return modelFrom({ ...parts, module: make(seed) }, defenses);
      return builtOnce({ ...parts, module: network as Module, borrowed: true }, defenses);
    },
    fittedTo(format, of) {
      checkFormat(name, options, format, of);
      return options.classNames === undefined
        ? { ...this, own: this.own!, classNames: format.classNames }
        : this;
    },
    toString: () => name,
    toJSON: () => name,
  };
}

/** Model of a module that is there once: the same model when it is asked for again in the same form. */
function builtOnce(parts: ModelParts & { readonly module: Module }, defenses: readonly Defense[]): Model {
  const { module, name, classNames, inputShape, classes, activations, normalize } = parts;
  const form = JSON.stringify([defenses, inputShape, classes, activations, normalize]);
  const before = built.get(module);
  if (before?.form === form) return { ...before.model, name, classNames };
  if (before !== undefined) {
    throw new RangeError(
      `model ${name}: its module is part of a model with other defenses or options already; ` +
        "give a function (seed) => Module to build several",
    );
  }
  const text = moduleText(module);
  const model = modelFrom(parts, defenses);
  built.set(module, { form, model, text });
  return model;
}

/** The user's function, whose modules are modules, and new ones each time. */
function newModules(network: (seed: number) => Module, name: string): (seed: number) => Module {
  const made = new WeakSet<Module>();
  return (seed) => {
    const module = network(seed);
    checkKind(`the network of model ${name}`, module, "a Module", module instanceof Module);
    if (made.has(module)) {
      const advice = "make a new one each time, or give the module";
      throw new RangeError(`model ${name}: its function gave the same module twice; ${advice}`);
    }
    made.add(module);
    return module;
  };
}

function checkNetwork(network: unknown): void {
  const isClass = typeof network === "function" && network.prototype instanceof Module;
  const hint = isClass ? `, such as () => new ${network.name}()` : "";
  const accepted = `a Module or a function (seed) => Module${hint}`;
  const fits = network instanceof Module || (typeof network === "function" && !isClass);
  checkKind("network", network, accepted, fits);
}

const optionNames: readonly string[] = [
  "name",
  "inputShape",
  "classes",
  "classNames",
  "normalize",
  "activations",
];

/** Throws a TypeError or RangeError for facts that no model can have. */
export function checkModelOptions(options: ModelOfOptions): void {
  checkKind(
    "options",
    options,
    "an object such as { inputShape: [3, 32, 32], classes: 10 }",
    isObject(options),
  );
  const unknown = Object.keys(options).find((option) => !optionNames.includes(option));
  if (unknown !== undefined) throw unknownName("option of modelOf", unknown, optionNames);
  const { name = "own-model", inputShape, classes, classNames, normalize, activations = {} } = options;
  const isShape = Array.isArray(inputShape) && inputShape.length === 3;
  checkKind("inputShape", inputShape, "[channels, height, width]", isShape);
  for (const side of inputShape) {
    checkNumber("inputShape", side, "whole numbers >= 1", Number.isInteger(side) && side > 0);
  }
  checkNumber("classes", classes, "a whole number >= 2", Number.isInteger(classes) && classes >= 2);
  checkFolderName("name", name);
  checkKind("classNames", classNames, "a list of names", classNames === undefined || isTexts(classNames));
  if (classNames !== undefined && classNames.length !== classes) {
    throw new RangeError(`classNames must name each of ${classes} classes, given ${classNames.length}`);
  }
  const lists = isObject(activations) && Object.values(activations).every(isTexts);
  checkKind(
    "activations",
    activations,
    'lists of layers by place, such as { "first-layer": ["relu1"] }',
    lists,
  );
  if (normalize === undefined) return;
  checkStatistics(normalize, inputShape[0]);
  const positive = normalize.std.every((value) => value > 0);
  if (!positive) throw new RangeError(`normalize.std must be above 0, not [${normalize.std.join(", ")}]`);
}

/** Throws unless there is a mean and a deviation for each channel. */
function checkStatistics(normalize: ChannelStatistics, channels: number): void {
  const isStatistics =
    isObject(normalize) && [normalize.mean, normalize.std].every((one) => isNumbers(one, one?.length));
  checkKind(
    "normalize",
    normalize,
    `{ mean, std } with a number for each channel (${channels})`,
    isStatistics,
  );
  const wrong = (["mean", "std"] as const).find((part) => normalize[part].length !== channels);
  if (wrong === undefined) return;
  const perChannel = (numbers: readonly number[]) =>
    Array(channels)
      .fill(numbers[0] ?? 0.5)
      .join(",");
  throw new RangeError(
    `normalize: ${countText(normalize[wrong].length, "number")} for ${wrong}, and images have ` +
      `${countText(channels, "channel")}; give ${perChannel(normalize.mean)}/${perChannel(normalize.std)}`,
  );
}

function isTexts(given: unknown): given is readonly string[] {
  return Array.isArray(given) && given.every((text) => typeof text === "string");
}

function isNumbers(given: unknown, count: number): given is readonly number[] {
  return Array.isArray(given) && given.length === count && given.every(Number.isFinite);
}

/**
 * Hash of a module's text, of its weights, with their names and shapes, and of the options. What a model has
 * put into the module, such as defenses, is no part of it.
 */
function hashOf(module: Module, options: ModelOfOptions): string {
  const hash = createHash("sha256").update(JSON.stringify([null, options]));
  hash.update(built.get(module)?.text ?? moduleText(module));
  for (const [name, value] of module.state()) {
    hash.update(`${name} ${value.shape.join("x")}`);
    hash.update(scope(() => value.detach().to("float32").toArray()) as Float32Array);
  }
  return hash.digest("hex");
}

/**
 * Hash of a function's code, of its module's text, of the names and shapes of the weights, and of the
 * options.
 */
function hashOfFunction(code: string, make: (seed: number) => Module, options: ModelOfOptions): string {
  const module = make(0);
  // Throws for a module that the function gives each time, which is the user's own and not to be freed.
  scope(() => void make(0));
  const hash = createHash("sha256").update(JSON.stringify([code, options]));
  hash.update(moduleText(module));
  for (const [name, value] of module.state()) hash.update(`${name} ${value.shape.join("x")}`);
  module.dispose();
  return hash.digest("hex");
}
