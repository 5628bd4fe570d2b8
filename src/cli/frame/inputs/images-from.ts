import { isModuleFile, isObject, loadUserModule, type UserModule } from "../../../base/index.js";
import { type Dataset, datasets } from "../../../datasets/index.js";
import type { Model } from "../../../models/index.js";
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
 * Images that a text stands for: a named data set, or a module file that exports `data`. Sources of images
 * that are files and folders belong here.
 *
 * @throws UsageError for a text that is neither
 */
export async function imagesFrom(text: string): Promise<Dataset> {
  if (isModuleFile(text)) return exportOf(await loadUserModule(text), "data", isDataset, "imagesOf");
  if (!looksLikePath(text)) return asUsage(() => datasets.parse(text));
  const known = `give a data set (${datasets.names.join(", ")}) or a module file that exports data`;
  throw new UsageError(`--images ${text}: folders of photos, .npz and lists are not read; ${known}`);
}

/** Refuses images of another shape, or of other classes, than a model's. */
export function checkFits({ name, inputShape, classes }: Model, images: Dataset): void {
  const by = (shape: readonly number[]) => shape.join(" x ");
  if (images.imageShape.join() !== inputShape.join()) {
    throw new UsageError(
      `model ${name} takes images of ${by(inputShape)}; data set ${images} has ${by(images.imageShape)}`,
    );
  }
  if (images.classNames.length !== classes) {
    throw new UsageError(
      `model ${name} has ${classes} classes; data set ${images} has ${images.classNames.length}`,
    );
  }
}
