import { existsSync, statSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { fileSha256, isAbort, isObject, readTextFile } from "../../../base/index.js";
import { checkDevice } from "../../../engine/index.js";
import {
  type AuditOptions,
  audit,
  budgets,
  type Provenance,
  type Report,
  readAudit,
} from "../../../evaluation/index.js";
import type { Model } from "../../../models/index.js";
import type { CommandContext } from "../../frame/command.js";
import { exitCode } from "../../frame/exit-code.js";
import { checkFits, imagesFrom, prepareWithBar } from "../../frame/inputs/images-from.js";
import { defensesOf } from "../../frame/inputs/input-options.js";
import { type OpenedModel, openModel } from "../../frame/inputs/model-from.js";
import { colors, out, outputWidth, warn } from "../../frame/output.js";
import { shownPath } from "../../frame/shown-path.js";
import { asUsage, UsageError, usageUntilBegun } from "../../frame/usage-error.js";
import { commandText } from "../../frame/words/command-text.js";
import { auditOptions, type GivenAudit } from "./audit-options.js";
import { withBar } from "./progress.js";

/** Radius that nobody gave: the one that the run trained for, or the one that is usual for the images. */
function usualEpsilon(
  { norm = "linf", epsilon, claim }: GivenAudit,
  { run }: OpenedModel,
  usual: number | undefined,
) {
  if (epsilon !== undefined || claim !== undefined) return epsilon;
  if (norm !== "linf") throw new UsageError(`give --epsilon: no radius is usual in ${norm}`);
  const radius = run?.config.method.epsilon ?? usual;
  if (radius === undefined)
    throw new UsageError("give --epsilon, such as 8/255: the images have no usual radius");
  return radius;
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
    if (other.run?.finished === false)
      throw new Error(`run ${text} is not finished: train it to its end first`);
    if (other.name in transfers)
      throw new UsageError(`--surrogate ${text}: another model of that name was given already`);
    if (other.model.inputShape.join() !== model.inputShape.join() || other.model.classes !== model.classes) {
      throw new UsageError(`--surrogate ${text}: it takes other images or has other classes`);
    }
    transfers[other.name] = other.model;
  }
  return transfers;
}

/** Audits the model that a text stands for, shows and writes the report, and returns the exit code. */
export async function runAudit(given: GivenAudit, text: string, { signal }: CommandContext): Promise<number> {
  const { budget, norm, claim, limit, seed, batchSize, device, require, resolution, tensorboard } = given;
  asUsage(() => checkDevice(device));
  const images = given.images === undefined ? undefined : await imagesFrom(given.images);
  const choice = { ...given, images, defenses: defensesOf(given) };
  const opened = await openModel(text, choice);
  const { run: of, model, name } = opened;
  if (of?.finished === false)
    throw new Error(`run ${of.path} is not finished: train it to its end, then audit it`);
  const shown = images ?? of?.config.data;
  if (shown === undefined)
    throw new UsageError(`give --images, such as mnist: ${text} is no run, which knows its own`);
  checkFits(model, shown);
  const epsilon = usualEpsilon(given, opened, shown.epsilon);
  const transfers = await transfersFrom(given, opened, choice);
  const parent = given.out ?? of?.path ?? `audits/${name.replace(/\.\w+$/, "")}`;
  const asked: AuditOptions = {
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
    provenance: provenanceOf(given, opened, text),
    folder: parent,
  };
  await prepareWithBar(shown.test, limit ?? budgets[budget].images, signal);
  const work = audit(model, shown.test, { ...asked, signal });
  for await (const event of withBar(usageUntilBegun(work))) {
    if (event.type === "plan" && given.out !== undefined)
      refuseOtherReport(given.out, basename(event.folder!));
  }
  const report = await work.then(undefined, (error) => {
    if (isAbort(error)) warn("stopped: the same command goes on");
    throw error;
  });
  const files = await report.write(given.out ?? report.folder ?? parent);
  const { dim } = colors("stdout");
  if (given.json) out(JSON.stringify(report));
  else {
    const folder = shownPath(dirname(files.html));
    const kept = [
      `report: ${folder}/audit.html`,
      `numbers: ${folder}/audit.json`,
      `worst images: ${folder}/images`,
    ];
    const form = { width: outputWidth(), colors: colors("stdout"), verbose: given.verbose };
    out([report.text(form), "", ...kept.map(dim)].join("\n"));
  }
  return codeOf(report);
}

const codes = { pass: exitCode.done, fail: exitCode.unmet, undecided: exitCode.undecided } as const;

/** Exit code of an audit: that of its criterion and of its comparison with an earlier one. */
function codeOf({ outcome }: Report): number {
  return outcome === null ? exitCode.done : codes[outcome.name];
}

/** Facts for the report: the model's file, the run that trained it, and what the user says. */
function provenanceOf(given: GivenAudit, { run, file }: OpenedModel, text: string): Provenance {
  const { author, source } = given;
  const weights = file ?? (run === undefined ? undefined : join(run.path, "weights.safetensors"));
  // A model may be a folder of files as well.
  const known = weights !== undefined && statSync(weights, { throwIfNoEntry: false })?.isFile() === true;
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
    command: commandText("audit", [text], given, auditOptions, ["json", "verbose"]),
  };
}

/** Refuses a folder that holds the report of another audit. */
function refuseOtherReport(folder: string, id: string): void {
  const file = join(folder, "audit.json");
  if (!existsSync(file)) return;
  let found: unknown;
  try {
    found = JSON.parse(readTextFile(file));
  } catch {
    // What cannot be read is not of this audit either.
  }
  if (isObject(found) && found.id === id) return;
  throw new UsageError(`--out ${folder} holds the report of another audit: give another folder`);
}
