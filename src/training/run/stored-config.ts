import { type Dataset, datasets } from "../../datasets/index.js";
import type { Architecture } from "../../models/index.js";
import { models, numberedClasses } from "../../models/index.js";
import { type TrainConfig, trainConfig } from "../config.js";
import type { TrainConfigInput } from "../config-input.js";

/** Parts of a user's own that a run's texts cannot bring back: they are given again. */
export interface OwnParts {
  readonly model?: Architecture | undefined;
  readonly data?: Dataset | undefined;
}

/** Origin of a run's own parts, as config.json keeps it. */
interface StoredOwn {
  readonly model?: {
    readonly hash: string;
    readonly file?: string | undefined;
    readonly sha256?: string | undefined;
  };
  readonly data?: StoredImages;
}

/** Identity of images that may not be at hand; of those in files also what a model must know of them. */
interface StoredImages {
  readonly identity: string;
  readonly imageShape?: Dataset["imageShape"];
  readonly classNames?: readonly string[];
}

/** Tells whether images are read from a path of the user's, which may be gone or hold others. */
const isAtPath = (data: Dataset): boolean => datasets.is(data) && "path" in data.options;

/** Configuration as config.json holds it: texts, and the origin of own parts. */
export function storedForm(config: TrainConfig): Record<string, unknown> {
  const { model, data } = config;
  const own: StoredOwn = {
    ...(model.own === undefined ? {} : { model: { ...model.own, hash: model.own.hash } }),
    ...("call" in data ? {} : { data: { identity: data.identity } }),
    ...(isAtPath(data) ? { data: atPath(data) } : {}),
  };
  const texts = JSON.parse(JSON.stringify(config)) as Record<string, unknown>;
  return Object.keys(own).length === 0 ? texts : { ...texts, own };
}

function atPath({ identity, imageShape, classNames }: Dataset): StoredImages {
  return { identity, imageShape, classNames };
}

/** Images at a path, or where they are not there any more, what a run knows of them. */
function reopened(text: string, stored: StoredImages, given: OwnParts["data"], of: string): Dataset {
  if (given?.identity === stored.identity) return given;
  const data = datasets.parse(text);
  try {
    if (data.imageShape.join() === stored.imageShape!.join()) return data;
  } catch {
    // The folder is gone: who needs its images is told so.
  }
  const { imageShape, classNames } = stored;
  const missing = missingImages(data.name, stored.identity, undefined, of);
  return Object.defineProperties(missing, {
    imageShape: { value: imageShape },
    classNames: { value: classNames },
    toString: { value: () => text },
    toJSON: { value: () => text },
  });
}

/**
 * Configuration of what config.json holds. A model of the user's own is given again; so are images, where
 * they are used.
 *
 * @param of says whose configuration it is in errors
 * @throws Error where an own model is missing or another, RangeError for what is no configuration
 */
export function configOf(stored: Record<string, unknown>, parts: OwnParts, of: string): TrainConfig {
  const { own = {}, ...texts } = stored as { own?: StoredOwn } & Record<string, unknown>;
  const given = { ...texts } as Record<string, unknown>;
  if (own.model !== undefined) given.model = ownModel(String(texts.model), own.model, parts.model, of);
  if (own.data?.imageShape !== undefined) given.data = reopened(String(texts.data), own.data, parts.data, of);
  else if (own.data !== undefined)
    given.data = ownData(String(texts.data), own.data.identity, parts.data, given, of);
  else given.data = inOtherFolder(texts.data, parts.data);
  try {
    return trainConfig(given as unknown as TrainConfigInput);
  } catch (error) {
    if (!(error instanceof RangeError) || !error.message.includes("unknown ")) throw error;
    throw new RangeError(`${of}: ${error.message}; load what registers it first (--import FILE)`, {
      cause: error,
    });
  }
}

/** Images that were given again, where they are those of a text that names another folder. */
function inOtherFolder(text: unknown, given: OwnParts["data"]): unknown {
  if (given === undefined || typeof text !== "string") return text;
  try {
    return datasets.parse(text).identity === given.identity ? given : text;
  } catch {
    // Whoever reads the configuration is told.
    return text;
  }
}

function ownModel(
  name: string,
  { hash, file }: NonNullable<StoredOwn["model"]>,
  model: OwnParts["model"],
  of: string,
) {
  const from = file === undefined ? "" : ` from ${file}`;
  const remedy = `give it again, as { model } or --architecture ${file ?? "FILE"}`;
  if (model === undefined)
    throw new Error(`${of} was trained with the own model "${name}"${from}: ${remedy}`);
  if (model.own?.hash === hash) return model;
  const given = model.own === undefined ? `model ${model}` : `a model of hash ${model.own.hash.slice(0, 8)}`;
  throw new Error(
    `${of} was trained with the own model "${name}" of hash ${hash.slice(0, 8)}${from}, given ${given}: ` +
      "layers, fields or classes differ; give the network as it was",
  );
}

function ownData(
  name: string,
  identity: string,
  data: OwnParts["data"],
  { model }: Record<string, unknown>,
  of: string,
): Dataset {
  if (data?.identity === identity) return data;
  if (data !== undefined)
    throw new Error(`${of} was trained on images "${identity}", given "${data.identity}"`);
  return missingImages(name, identity, architectureOf(model), of);
}

/** Architecture of a stored configuration; undefined where it cannot be read, which others tell. */
function architectureOf(model: unknown): Architecture | undefined {
  try {
    return typeof model === "string" ? models.parse(model) : (model as Architecture | undefined);
  } catch {
    return undefined;
  }
}

/** Data set whose images are not at hand: an Error says so where they are asked for. */
function missingImages(name: string, identity: string, model: Architecture | undefined, of: string): Dataset {
  const missing = (): never => {
    throw new Error(
      `${of} was trained on the own images "${name}": give them again, as { data } or --images FILE`,
    );
  };
  return {
    name,
    identity,
    imageShape: model?.inputShape ?? [1, 1, 1],
    classNames: model?.classNames ?? numberedClasses(2),
    get statistics() {
      return missing();
    },
    get train() {
      return missing();
    },
    get test() {
      return missing();
    },
    get all() {
      return missing();
    },
    toString: () => name,
    toJSON: () => name,
  };
}
