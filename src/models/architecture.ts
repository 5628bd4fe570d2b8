import * as z from "zod";
import { checkKind, checkNumber, deriveSeed, isObject, type Seed } from "../base/index.js";
import type { Module } from "../nn/index.js";
import { type Factory, Kind, type Value } from "../options/index.js";
import {
  type Activations,
  checkDefenses,
  type Defense,
  type ImageFormat,
  type ImageShape,
  type Model,
  modelFrom,
  numberedClasses,
} from "./model.js";

/** Model yet to be built: what it takes and answers, and how its weights begin. */
export interface ArchitectureWork {
  readonly inputShape: ImageShape;
  readonly classes: number;
  readonly classNames: readonly string[];
  readonly activations: Activations;
  /** Builds the model with weights of a seed; the defenses are applied in their order. */
  build(options: { readonly seed: number; readonly defenses?: readonly Defense[] }): Model;
  /**
   * The architecture for the images of a data set: what its options leave open is taken from there.
   * RangeError when an option, or an own model, says otherwise.
   */
  fittedTo(format: ImageFormat, of: string): Architecture;
  /** Origin of a model of a user's own; undefined for those of a kind. */
  readonly own?: OwnModel;
}

/** Origin of a model of a user's own. */
export interface OwnModel {
  /** Hash of its code and of its weights' names and shapes. */
  readonly hash: string;
  /** File that exports it; undefined where it was given in code. */
  readonly file?: string | undefined;
  /** Hash of that file. */
  readonly sha256?: string | undefined;
}

/** Architecture with its options, such as `small()`, or one of a user's own from `modelOf`. */
export interface Architecture extends ArchitectureWork {
  readonly name: string;
  /** Identity as text: `resnet18(classes=100)`. */
  toString(): string;
  toJSON(): string;
}

/** Every architecture by its name: `models.parse("resnet18(classes=100)")`. */
export const models = new Kind<ArchitectureWork, Architecture & Value>("model", "resnet18(classes=100)");

const side = z.int().min(1).max(4096);

const perChannel = z.array(z.number()).min(1).max(1024);

/** Options `mean` and `std`, whose texts end with the values that are usual. */
const statistics = (usual: string) => ({
  mean: perChannel.optional().describe(`mean of each channel, subtracted from the image (default: ${usual})`),
  std: perChannel
    .refine((values) => values.every((value) => value > 0), "a standard deviation is above 0")
    .optional()
    .describe(`standard deviation of each channel, by which the image is divided (default: ${usual})`),
});

/** Options of every architecture. */
export const imageOptions = z.strictObject({
  inputShape: z
    .tuple([z.int().min(1).max(1024), side, side])
    .optional()
    .meta({ accepted: "[channels, height, width]" })
    .describe("shape of an image (default: the data set's)"),
  classes: z.int().min(2).max(100_000).optional().describe("number of classes (default: the data set's)"),
  ...statistics("none"),
});

/** Options of architectures that normalize their images by the data set's statistics, or by others. */
export const normalizedImageOptions = imageOptions.extend(statistics("the data set's"));

type ImageOptions = z.output<typeof imageOptions>;

/** Modules of an architecture, for checked options and the images that they say. */
export interface Layout {
  readonly activations: Activations;
  /** Builds the modules, initialized for a seed. RangeError for images that they cannot take. */
  layers(seed: Seed): Module;
}

/**
 * Defines an architecture: `layout` says for options and images what its modules are. `models.register` makes
 * it known by name.
 *
 * @example
 * export const linear = defineModel("linear", {
 *   summary: "one layer of weights",
 *   options: imageOptions,
 *   defaults: { inputShape: [1, 28, 28], classes: 10 },
 *   layout: ({ inputShape: [channels, height, width], classes }) => ({
 *     activations: {},
 *     layers: (seed) => {
 *       const fc = new Linear(channels * height * width, classes, { seed });
 *       return new Sequential({ flat: new Flatten(), fc });
 *     },
 *   }),
 * });
 */
export function defineModel<const Name extends string, Schema extends typeof imageOptions>(
  name: Name,
  definition: {
    readonly summary: string;
    readonly options: Schema;
    /** Images and classes where neither the options nor a data set say so. */
    readonly defaults: { readonly inputShape: ImageShape; readonly classes: number };
    layout(options: z.output<Schema> & { inputShape: ImageShape; classes: number }): Layout;
  },
): Factory<Architecture & Value, Name, Schema> {
  const what = models.checkParts(name, definition);
  const { summary, options: schema, defaults, layout } = definition;
  checkKind(`${what}: layout`, layout, "a function", typeof layout === "function");
  const normalizes = schema?.shape.mean === normalizedImageOptions.shape.mean;
  return models.define(name, {
    summary,
    options: schema,
    create(given, _, again): ArchitectureWork {
      const options = given as ImageOptions;
      const { inputShape = defaults.inputShape, classes = defaults.classes } = options;
      const normalize = normalizationOf(name, options, inputShape[0]);
      const { activations, layers } = layout({ ...given, inputShape, classes });
      return {
        inputShape,
        classes,
        classNames: numberedClasses(classes),
        activations,
        build(choice) {
          const { seed, defenses = [] } = checkedChoice(choice);
          const module = layers(deriveSeed(seed, "network", name));
          const parts = { module, inputShape, classes, classNames: this.classNames, activations, normalize };
          const { code } = this as ArchitectureWork & Value;
          const origin = code === undefined ? {} : { origin: () => code };
          return modelFrom({ name: String(this), ...parts, ...origin }, defenses);
        },
        fittedTo(format, of) {
          const { imageShape, classNames } = format;
          checkFormat(String(this), options, format, of);
          const differs = <T>(value: T, standard: T) =>
            String(value) === String(standard) ? undefined : value;
          // The statistics of images in memory are computed when they are first asked for.
          const statistics = normalizes && options.mean === undefined ? format.statistics : options;
          const fitted = again({
            ...options,
            inputShape: differs(imageShape, defaults.inputShape),
            classes: differs(classNames.length, defaults.classes),
            ...(normalizes ? { mean: statistics.mean, std: statistics.std } : {}),
          });
          return Object.defineProperty(fitted, "classNames", { value: classNames, enumerable: true });
        },
      };
    },
  }) as never;
}

/** Arguments of `build`, checked. */
export function checkedChoice(choice: { readonly seed: number; readonly defenses?: readonly Defense[] }) {
  checkKind("options", choice, "an object such as { seed: 0 }", isObject(choice));
  checkDefenses(choice.defenses ?? []);
  checkNumber("seed", choice.seed, "an integer >= 0", Number.isSafeInteger(choice.seed) && choice.seed >= 0);
  return choice;
}

/** Throws a RangeError when options contradict a data set. */
export function checkFormat(
  name: string,
  {
    inputShape,
    classes,
  }: { readonly inputShape?: ImageShape | undefined; readonly classes?: number | undefined },
  { imageShape, classNames }: ImageFormat,
  of: string,
): void {
  if (inputShape !== undefined && inputShape.join() !== imageShape.join()) {
    throw new RangeError(
      `model ${name} takes images of shape [${inputShape.join(", ")}]; ${of} has [${imageShape.join(", ")}]`,
    );
  }
  if (classes !== undefined && classes !== classNames.length) {
    throw new RangeError(`model ${name} has ${classes} classes; ${of} has ${classNames.length}`);
  }
}

/** Normalization that options ask for; RangeError unless mean and std go together and with the channels. */
function normalizationOf(name: string, { mean, std }: ImageOptions, channels: number) {
  if (mean === undefined && std === undefined) return undefined;
  if (mean === undefined || std === undefined)
    throw new RangeError(`model ${name}: mean and std go together`);
  if (mean.length === channels && std.length === channels) return { mean, std };
  throw new RangeError(
    `model ${name}: mean and std hold a number for each of ${channels} channels, ` +
      `given ${mean.length} and ${std.length}`,
  );
}
