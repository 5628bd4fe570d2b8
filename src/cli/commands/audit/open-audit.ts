import { basename, extname, join } from "node:path";
import { fileSha256, readTextFile, statusAt } from "../../../base/index.js";
import type { Split } from "../../../datasets/index.js";
import { checkDevice } from "../../../engine/index.js";
import {
  type AuditOptions,
  budgets,
  type Provenance,
  readAudit,
  readSelfTest,
} from "../../../evaluation/index.js";
import type { Model } from "../../../models/index.js";
import { ballOf } from "../../../training/index.js";
import type { CommandContext } from "../../frame/command.js";
import { imagesFrom, prepareWithBar } from "../../frame/inputs/images-from.js";
import { defensesOf } from "../../frame/inputs/input-options.js";
import { imagesFor, type OpenedModel, openModel } from "../../frame/inputs/model-from.js";
import { refuseIgnored } from "../../frame/inputs/told-options.js";
import { asUsage, UsageError } from "../../frame/usage-error.js";
import { commandText } from "../../frame/words/command-text.js";
import { refuseUnfinished } from "../../frame/words/unfinished.js";
import { noteUnusualRadius } from "../../frame/words/usual-radius.js";
import { auditOptions, type GivenAudit } from "./audit-options.js";

/** Model and images of an audit that the command line asks for, and its options. */
export interface OpenedAudit {
  readonly model: Model;
  readonly images: Split;
  /** Number of images that are audited. */
  readonly count: number;
  readonly options: Omit<AuditOptions, "folder" | "store">;
  /** Folder in which the folder of the audit lies. */
  readonly parent: string;
}

/**
 * Radius that nobody gave: the one that the run trained for in the audit's norm, or the one that is usual for
 * the images.
 */
function usualEpsilon(
  { norm = "linf", epsilon, claim }: GivenAudit,
  { run }: OpenedModel,
  usual: number | undefined,
) {
  if (epsilon !== undefined || claim !== undefined) return epsilon;
  const ball = run === undefined ? undefined : ballOf(run.config.method);
  if (ball?.norm === norm && ball.epsilon > 0) return ball.epsilon;
  if (norm !== "linf") throw new UsageError(`give --epsilon: no radius is usual in ${norm}`);
  if (usual === undefined)
    throw new UsageError("give --epsilon, such as 8/255: the images have no usual radius");
  return usual;
}

/** Other models by their names. */
async function transfersFrom(
  given: GivenAudit,
  { model }: OpenedModel,
  choice: Parameters<typeof openModel>[1],
) {
  const transfers: Record<string, Model> = {};
  for (const text of given.surrogate) {
    const other = await openModel(text, { images: choice?.images });
    refuseUnfinished(text, other);
    if (other.name in transfers)
      throw new UsageError(`--surrogate ${text}: another model of that name was given already`);
    if (other.model.inputShape.join() !== model.inputShape.join() || other.model.classes !== model.classes) {
      throw new UsageError(`--surrogate ${text}: it takes other images or has other classes`);
    }
    transfers[other.name] = other.model;
  }
  return transfers;
}

/** Opens the model and the images of `sqa audit`. UsageError for options that do not fit them. */
export async function openAudit(
  given: GivenAudit,
  text: string,
  { signal, imports }: Pick<CommandContext, "signal" | "imports">,
): Promise<OpenedAudit> {
  const { budget, norm, claim, limit, seed, batchSize, device, require, resolution, tensorboard } = given;
  asUsage(() => checkDevice(device));
  const images = await imagesFrom(given.images);
  const choice = { ...given, images, defenses: defensesOf(given) };
  const opened = await openModel(text, choice);
  refuseIgnored([[text, opened]], choice);
  const { run: of, model, name } = opened;
  refuseUnfinished(text, opened);
  const shown = imagesFor(opened, text, images);
  if (claim !== undefined) noteUnusualRadius([claim], shown);
  const epsilon = usualEpsilon(given, opened, shown.epsilon);
  const transfers = await transfersFrom(given, opened, choice);
  const parent = given.out ?? of?.path ?? `audits/${name.replace(/\.\w+$/, "")}`;
  const options = {
    epsilon,
    norm,
    claim,
    budget,
    limit,
    seed,
    device,
    transfers,
    batchSize,
    expectClean: given.expectClean,
    require,
    resolution,
    tensorboard,
    baseline: given.baseline === undefined ? undefined : readAudit(given.baseline).audit,
    provenance: provenanceOf(given, opened, text, imports),
    signal,
  };
  const most = limit ?? budgets[budget].images;
  await prepareWithBar(shown.test, most, signal);
  return { model, images: shown.test, count: Math.min(most, shown.test.count), options, parent };
}

/** Facts for the report: the model's file, the run that trained it, and what the user says. */
function provenanceOf(
  given: GivenAudit,
  { run, file }: OpenedModel,
  text: string,
  imports: readonly string[],
): Provenance {
  const { author, source, selfTested } = given;
  const weights = file ?? (run === undefined ? undefined : join(run.path, "weights.safetensors"));
  // A model may be a folder of files as well.
  const known = weights !== undefined && statusAt(weights)?.isFile() === true;
  return {
    ...(known
      ? { file: { name: basename(weights), sha256: fileSha256(weights), format: extname(weights).slice(1) } }
      : {}),
    ...(run === undefined
      ? {}
      : {
          training: {
            run: basename(run.path),
            config: JSON.parse(readTextFile(join(run.path, "config.json"))),
          },
        }),
    author,
    source,
    ...(selfTested === undefined ? {} : { selfTest: readSelfTest(selfTested) }),
    command: commandText("audit", [text], given, auditOptions, {
      without: ["json", "verbose", "force"],
      imports,
    }),
  };
}
