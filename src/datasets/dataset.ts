import type * as z from "zod";
import { checkKind, checkNumber } from "../base/index.js";
import type { ChannelStatistics, ImageFormat, ImageShape } from "../models/index.js";
import { type Factory, Kind, type Value } from "../options/index.js";
import { checkClasses, checkedOpened, checkedRead, checkShape, checkStatistics } from "./checked-data.js";
import type { DatasetArchive } from "./fetching/fetch-archive.js";
import { joinedPixels } from "./pixels/stored.js";
import { type Split, type SplitData, type SplitName, splitOf } from "./split.js";
import { channelStatistics } from "./statistics.js";

/** Data set that was located: its splits are read when they are first asked for, and kept. */
export interface DatasetWork extends ImageFormat {
  /** Identity in a run: which images these are, wherever they lie. */
  readonly identity: string;
  /** Usual l-infinity radius of attacks on its images; undefined where there is none. */
  readonly epsilon?: number | undefined;
  /** Training images. */
  readonly train: Split;
  /** Test images. */
  readonly test: Split;
  /** All images, those to train on first. */
  readonly all: Split;
  /**
   * Folder that is read; an Error says how to get the data where a file is missing. Undefined for images in
   * memory.
   */
  locate?(): string;
  /** Archive that `sqa data fetch` brings, and the folder that it goes to. */
  readonly archive?: (DatasetArchive & { readonly folder: string }) | undefined;
}

/** Data set with its options, such as `mnist()`, or images of a user's own from `imagesOf`. */
export interface Dataset extends DatasetWork {
  readonly name: string;
  toString(): string;
  toJSON(): string;
}

/** Every data set by its name: `datasets.parse("mnist")`. */
export const datasets = new Kind<DatasetWork, Dataset & Value>("data set", "mnist");

/** Parts of a data set, from which its splits are made. */
export interface DatasetParts {
  readonly name: string;
  readonly identity: string;
  readonly imageShape: ImageShape;
  readonly classNames: readonly string[];
  /** Mean and standard deviation of the training images; computed from them where left out. */
  readonly statistics?: ChannelStatistics | undefined;
  /** Reads and checks a split; throws a FileFormatError that names the file. */
  read(split: SplitName): SplitData;
}

/** Makes a data set of its parts: each split is read once. */
export function datasetOf({
  name,
  identity,
  imageShape,
  classNames,
  read,
  ...parts
}: DatasetParts): DatasetWork {
  const kept = new Map<string, Split>();
  const once = (split: string, make: () => SplitData): Split => {
    const known = kept.get(split) ?? splitOf({ name: `${name} ${split}`, imageShape, classNames }, make());
    kept.set(split, known);
    return known;
  };
  let { statistics } = parts;
  return {
    identity,
    imageShape,
    classNames,
    get statistics() {
      statistics ??= channelStatistics(this.train);
      return statistics;
    },
    get train() {
      return once("train", () => read("train"));
    },
    get test() {
      return once("test", () => read("test"));
    },
    get all() {
      return once("all", () => joined(this.train, this.test));
    },
  };
}

function joined(train: Split, test: Split): SplitData {
  const count = train.count + test.count;
  const labels = new (train.labels instanceof Uint8Array ? Uint8Array : Int32Array)(count);
  labels.set(train.labels);
  labels.set(test.labels, train.count);
  if (train.stored !== undefined && test.stored !== undefined)
    return { stored: joinedPixels(train.stored, train.count, test.stored), labels, count };
  const { images } = train;
  const pixels = new (images instanceof Uint8Array ? Uint8Array : Float32Array)(
    images.length + test.images.length,
  );
  pixels.set(images);
  pixels.set(test.images, images.length);
  return { images: pixels, labels, count };
}

/** Data set whose images are of one shape and of the same classes, whatever its options. */
interface FixedDefinition<Schema extends z.ZodObject> {
  readonly imageShape: ImageShape;
  readonly classNames: readonly string[];
  readonly statistics?: ChannelStatistics;
  /** Usual l-infinity radius of attacks on its images. */
  readonly epsilon?: number;
  /** Folder that would be read; throws an Error that says how to get the data when a file is missing. */
  locate(options: z.output<Schema>): string;
  /** Reads and checks a split; throws a FileFormatError that names the file. */
  read(options: z.output<Schema>, split: SplitName): SplitData;
  readonly archive?: DatasetWork["archive"];
}

/** Source of images of a user's own: its options say where they are, and only the files what they are. */
interface SourceDefinition<Schema extends z.ZodObject> {
  /** Looks at the files when the data set is first asked for anything; throws an Error that names them. */
  open(options: z.output<Schema>): DatasetWork;
}

/** Factory of a source, which also takes the path first: `imageFolder("photos", { crop: 224 })`. */
export interface SourceFactory<Name extends string, Schema extends z.ZodObject, Input = z.input<Schema>>
  extends Factory<Dataset & Value, Name, Schema, Input> {
  (options?: Input): Dataset & Value<Name>;
  (path: string, options?: Omit<Input, "path">): Dataset & Value<Name>;
}

/** Defines a source of images, whose option `path` says where they are. */
export function defineSource<const Name extends string, Schema extends z.ZodObject>(
  name: Name,
  definition: { readonly summary: string; readonly options: Schema } & SourceDefinition<Schema>,
): SourceFactory<Name, Schema> {
  const factory = defineDataset(name, definition);
  const make = (given: unknown = {}, options: object = {}) =>
    factory.make(typeof given === "string" ? { ...options, path: given } : given);
  const { kind, summary, make: made, options } = factory;
  return Object.assign(Object.defineProperty(make, "name", { value: name, enumerable: true }), {
    kind,
    summary,
    make: made,
    options,
    takes: undefined,
  }) as never;
}

/**
 * Defines a data set, or with `open` a source of images. `datasets.register` makes it known by name.
 *
 * @example
 * export const stripes = defineDataset("stripes", {
 *   summary: "stripes that run across or down",
 *   options: z.strictObject({ folder: z.string().default("stripes") }),
 *   imageShape: [1, 16, 16],
 *   classNames: ["across", "down"],
 *   locate: ({ folder }) => folder,
 *   read: ({ folder }, split) => ({ images, labels, count }),
 * });
 */
export function defineDataset<const Name extends string, Schema extends z.ZodObject>(
  name: Name,
  definition: {
    /** One line for lists and help. */
    readonly summary: string;
    readonly options: Schema;
  } & (FixedDefinition<Schema> | SourceDefinition<Schema>),
): Factory<Dataset & Value, Name, Schema> {
  const what = datasets.checkParts(name, definition);
  checkDefinition(what, definition);
  const { summary, options: schema } = definition;
  return datasets.define(name, {
    summary,
    options: schema,
    create(options): DatasetWork {
      if ("open" in definition) return openedLater(what, () => definition.open(options));
      const { imageShape, classNames, statistics, locate, read } = definition;
      const format = { imageShape, classNames };
      const parts = { name, identity: name, ...format, statistics };
      const data = datasetOf({
        ...parts,
        read: (split) => checkedRead(`${what}, ${split}`, read(options, split), format),
      });
      return Object.defineProperties(data, {
        locate: { value: () => locate(options) },
        epsilon: { value: definition.epsilon },
        archive: { get: () => definition.archive },
      });
    },
  });
}

/** TypeError or RangeError that names the part of a data set which is missing, or of another kind. */
function checkDefinition<Schema extends z.ZodObject>(
  what: string,
  definition: FixedDefinition<Schema> | SourceDefinition<Schema>,
): void {
  if ("open" in definition) {
    checkKind(`${what}: open`, definition.open, "a function", typeof definition.open === "function");
    return;
  }
  const { imageShape, classNames, statistics, epsilon = 1, locate, read } = definition;
  checkShape(`${what}: imageShape`, imageShape);
  checkClasses(`${what}: classNames`, classNames);
  if (statistics !== undefined) checkStatistics(`${what}: statistics`, statistics, imageShape[0]);
  const isRadius = Number.isFinite(epsilon) && epsilon >= 0 && epsilon <= 1;
  checkNumber(`${what}: epsilon`, epsilon, "a number in [0, 1]", isRadius);
  for (const [part, given] of Object.entries({ locate, read }))
    checkKind(`${what}: ${part}`, given, "a function", typeof given === "function");
}

/** Data set that is opened when it is first asked for anything. */
function openedLater(what: string, open: () => DatasetWork): DatasetWork {
  let opened: DatasetWork | undefined;
  const work = (): DatasetWork => {
    opened ??= checkedOpened(what, open());
    return opened;
  };
  return {
    get identity() {
      return work().identity;
    },
    get imageShape() {
      return work().imageShape;
    },
    get classNames() {
      return work().classNames;
    },
    get statistics() {
      return work().statistics;
    },
    get train() {
      return work().train;
    },
    get test() {
      return work().test;
    },
    get all() {
      return work().all;
    },
    locate: () => work().locate!(),
  };
}
