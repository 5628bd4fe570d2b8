import { existsSync } from "node:fs";
import {
  isModuleFile,
  isObject,
  loadUserModule,
  MissingFileError,
  messageOf,
  shownName,
  type UserModule,
} from "../../../base/index.js";
import {
  type Dataset,
  datasets,
  fewClasses,
  imagesFrom as imagesAt,
  prepareImages,
  type Split,
  subset,
} from "../../../datasets/index.js";
import { areNumbers, classOrderFault, type Model } from "../../../models/index.js";
import { formatCall } from "../../../options/index.js";
import { sayNote } from "../look.js";
import { note } from "../output.js";
import { Progress } from "../progress.js";
import { quoted } from "../shown-path.js";
import { asUsage, UsageError } from "../usage-error.js";
import { looksLikePath } from "./input-options.js";

const isDataset = (given: unknown): given is Dataset =>
  isObject(given) && typeof given.identity === "string" && "train" in given && "imageShape" in given;

/** Export of a user's module by its name, or the default one; an Error says what it must be. */
export function exportOf<T>(
  { file, exports }: UserModule,
  name: string,
  isOfKind: (given: unknown) => given is T,
  maker: string,
): T {
  const given = exports[name] ?? exports.default;
  if (isOfKind(given)) return given;
  const found = given === undefined ? "it exports neither" : "what it exports is something else";
  throw new Error(`${file} must export ${name}, or a default, made by ${maker}: ${found}`);
}

/**
 * Images that a text stands for: a named data set, a module file that exports `data`, or a file or folder of
 * images, whose kind is told by what is there; undefined where there is no text.
 *
 * @throws UsageError for a text that is none, MissingFileError for a path to nothing, Error or
 *   FileFormatError that says what was found
 */
export async function imagesFrom<Text extends string | undefined>(
  text: Text,
): Promise<Dataset | Extract<Text, undefined>>;
export async function imagesFrom(text: string | undefined): Promise<Dataset | undefined> {
  if (text === undefined) return undefined;
  if (isModuleFile(text)) return exportOf(await loadUserModule(text), "data", isDataset, "imagesOf");
  if (datasets.has(text) && existsSync(text))
    note(`${text}: the data set of this name; what lies beside it is given as ./${text}`);
  // A path that exists may have parentheses, as a second download has: "images (1)".
  if (!datasets.has(text) && (existsSync(text) || looksLikePath(text))) return atPath(text);
  try {
    return asUsage(() => datasets.parse(text));
  } catch (cause) {
    if (text.includes("(") || datasets.has(text) || !(cause instanceof UsageError)) throw cause;
    throw new UsageError(`${cause.message}; and there is no file or folder of this name`, { cause });
  }
}

/** Images at a path; a UsageError says what is there instead, a MissingFileError that nothing is. */
function atPath(path: string): Dataset {
  try {
    return imagesAt(path);
  } catch (cause) {
    const problem = `--images: ${messageOf(cause)}`;
    const Kind = cause instanceof MissingFileError ? MissingFileError : UsageError;
    throw new Kind(problem, { cause });
  }
}

/** Splits whose first images were said to be of few classes: several models are evaluated on them. */
const told = new WeakSet<Split>();

/** Says where the first images of a split are of few of its classes. */
function noteClasses(split: Split, limit: number): void {
  const few = fewClasses(split, limit);
  if (few === undefined || told.has(split)) return;
  told.add(split);
  const { found, all } = few;
  sayNote(
    `the first ${limit} images of ${split.name} are of ${found} of its ${all} classes, and so are all ` +
      "figures: give images in another order, or take more of them (--limit)",
  );
}

/**
 * Decodes the images that a command is about to use, with a bar where that takes a while, and says where they
 * are of few classes.
 */
export async function prepareWithBar(split: Split, limit: number | undefined, signal: AbortSignal) {
  if (limit !== undefined) noteClasses(split, limit);
  if (split.stored === undefined) return;
  using progress = new Progress({ label: "images" });
  const used = limit === undefined ? split : subset(split, Math.min(limit, split.count));
  await prepareImages(used, { signal, onProgress: (event) => progress.update(event) });
  progress.finish();
}

/**
 * Refuses images of another shape, or of other classes, than a model's.
 *
 * @param hasNames tells whether the model's classes are those of images, as a run's are: where they are
 *   numbers they are names as well, in the order 0, 1, 10, 2 or in that of the numbers
 */
export function checkFits(model: Model, images: Dataset, hasNames = false): void {
  const { name, inputShape, classes, classNames } = model;
  const by = (shape: readonly number[]) => shape.join(" x ");
  if (images.imageShape.join() !== inputShape.join()) {
    throw new UsageError(
      `${name} takes images of ${by(inputShape)}; data set ${images} has ${by(images.imageShape)}` +
        fitHint(images, inputShape),
    );
  }
  if (images.classNames.length !== classes) {
    throw new UsageError(
      `${name} has ${classes} classes; data set ${images} has ${images.classNames.length}: ` +
        "give images of the model's classes, or name all of these in its order in classes.txt, one a line",
    );
  }
  if (!hasNames && (areNumbers(classNames) || areNumbers(images.classNames))) return;
  checkOrder(model, images);
}

/** Refuses classes in another order than a model's, and says where they have other names. */
function checkOrder({ name, classNames }: Model, images: Dataset): void {
  const fault = classOrderFault([name, classNames], [`data set ${images}`, images.classNames]);
  if (fault !== undefined)
    throw new UsageError(`${fault}; name its classes in the model's order in classes.txt, one a line`);
  const other = classNames.findIndex((one, label) => one !== images.classNames[label]);
  if (other < 0 || areNumbers(classNames) || areNumbers(images.classNames)) return;
  const [own, given] = [classNames[other]!, images.classNames[other]!].map(shownName);
  note(
    `${name} and data set ${images} name their classes differently: class ${other} is ${own}, and ${given}`,
  );
}

/** Options by which images of any size become a model's, as the end of an error's sentence. */
function fitHint(images: Dataset, [channels, height, width]: readonly [number, number, number]): string {
  const value = datasets.is(images) ? images : undefined;
  if (value === undefined || !("crop" in datasets.definition(value.name).options.shape)) return "";
  if (height !== width) return "";
  const { path, channels: colors } = value.options;
  if (images.imageShape[1] === height && images.imageShape[2] === width) {
    const { channels: _, ...others } = value.call.options;
    const changed = channels === 1 ? { ...others, channels: "gray" } : others;
    const fits = `--images ${quoted(formatCall(value.call.name, changed, value.call.of))}`;
    if (channels === 1) return `: give channels=gray: ${fits}`;
    return channels === 3 && colors === "gray" ? `: leave out channels=gray: ${fits}` : "";
  }
  const gray = channels === 1 ? ", channels=gray" : "";
  const size = (options: string) => `'${value.name}(path=${JSON.stringify(path)}, ${options}${gray})'`;
  return `: give --images ${size(`size=${height}`)}, or resize=N and crop=${height} as in training`;
}
