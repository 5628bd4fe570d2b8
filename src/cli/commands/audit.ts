import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as z from "zod";
import { attacks } from "../../attacks/index.js";
import { isAbort, isObject, readTextFile } from "../../base/index.js";
import { checkDevice, setThreads } from "../../engine/index.js";
import {
  type AuditEvent,
  type AuditOptions,
  audit,
  type BudgetName,
  budgets,
} from "../../evaluation/index.js";
import type { Model } from "../../models/index.js";
import { ratio } from "../../options/index.js";
import { type CommandContext, defineCommand } from "../frame/command.js";
import { checkFits, imagesFrom } from "../frame/inputs/images-from.js";
import {
  architectureOption,
  defenseOptions,
  defensesOf,
  imagesOption,
} from "../frame/inputs/input-options.js";
import { type OpenedModel, openModel } from "../frame/inputs/model-from.js";
import { kebabCase } from "../frame/option-names.js";
import { colors, note, out, outputWidth, warn } from "../frame/output.js";
import { withProgress } from "../frame/progress.js";
import { deviceOption, runOptions } from "../frame/run-options.js";
import { shownPath } from "../frame/shown-path.js";
import { asUsage, UsageError, usageUntilBegun } from "../frame/usage-error.js";
import { auditSelfTest } from "./audit/self-test.js";

const options = z.strictObject({
  budget: z
    .enum(Object.keys(budgets) as [BudgetName, ...BudgetName[]])
    .default("standard")
    .describe("passes and images that are spent"),
  epsilon: ratio({ above: 0 })
    .optional()
    .describe(
      "radius of the claim (default: the epsilon that the run trained for, else the images' usual radius)",
    ),
  norm: z.enum(["linf", "l2"]).optional().describe("norm of the radius (default: the claim's, else linf)"),
  claim: attacks
    .option()
    .optional()
    .describe("attack that the claimed accuracy was measured by (default: PGD of 40 steps at the radius)"),
  surrogate: z
    .array(z.string().min(1).meta({ placeholder: "MODEL" }))
    .default([])
    .describe("another model, whose adversarial images this one is shown"),
  architecture: architectureOption.optional().describe("architecture of weights, or of a run's own model"),
  images: imagesOption
    .optional()
    .describe("images to audit on, their test split (default: those of the run)"),
  limit: z.int().min(1).optional().describe("number of images, the first ones (default: the budget's)"),
  ...defenseOptions,
  seed: z.int().min(0).default(0).describe("seed of all noise"),
  out: z
    .string()
    .min(1)
    .meta({ placeholder: "FOLDER" })
    .optional()
    .describe("folder of the report (default: inside the run folder, else inside audits)"),
  batchSize: z
    .int()
    .min(1)
    .optional()
    .describe("images attacked together (default: 50); results do not depend on it"),
  threads: runOptions.threads,
  device: deviceOption,
  selfTest: z
    .boolean()
    .default(false)
    .describe("audit models known to be broken or robust, in place of yours"),
  json: z.boolean().default(false).describe("print audit.json in place of the report"),
});
type Options = z.output<typeof options>;

/** Radius that nobody gave: the one that the run trained for, or the one that is usual for the images. */
function usualEpsilon(
  { norm = "linf", epsilon, claim }: Options,
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
  given: Options,
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

async function run(given: Options, text: string, { signal }: CommandContext): Promise<number> {
  const { budget, norm, claim, limit, seed, batchSize, device } = given;
  asUsage(() => checkDevice(device));
  const images = given.images === undefined ? undefined : await imagesFrom(given.images);
  const choice = { architecture: given.architecture, images, defenses: defensesOf(given) };
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
    folder: parent,
  };
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
    out([report.text({ width: outputWidth(), colors: colors("stdout") }), "", ...kept.map(dim)].join("\n"));
  }
  return 0;
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

function withBar(events: AsyncIterable<AuditEvent>) {
  return withProgress(events, { label: "audit" }, (event) => {
    if (event.type === "estimate") note(`${event.trials} attacks; their time is being estimated`);
    if (event.type === "plan") {
      note(`at most about ${durationText(event.seconds)}`);
      if (event.folder !== undefined) note(`kept in ${shownPath(event.folder)}`);
      return { total: Math.round(event.seconds) };
    }
    if (event.type !== "progress") return undefined;
    const { trial, done, seconds } = event;
    const attack = trial.attack?.name ?? "clean";
    const under = trial.on === "model" ? attack : `${attack} on ${trial.on}`;
    return { done: Math.round(done), total: Math.round(seconds), metrics: { under } };
  });
}

function durationText(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}

/** Options that the self-test heeds; all else is fixed in it. */
const ofSelfTest: readonly string[] = ["selfTest", "threads", "json"];

function refuseBesideSelfTest(given: Options): void {
  const defaults: Readonly<Record<string, unknown>> = options.parse({});
  const other = Object.entries(given).find(
    ([name, value]) => !ofSelfTest.includes(name) && JSON.stringify(value) !== JSON.stringify(defaults[name]),
  );
  if (other === undefined) return;
  throw new UsageError(
    `--self-test cannot be given together with --${kebabCase(other[0])}: its audits are fixed`,
  );
}

/** `sqa audit`: tells whether a model's robustness is real. */
export const auditCommand = defineCommand({
  name: "audit",
  summary: "tell whether a model's claimed robustness is real",
  description:
    "Run the checklist of Athalye et al., Carlini et al. and Pintor et al. on a model and give a verdict " +
    "with the evidence: claim holds, not robust, overstated, masked or invalid. Writes audit.json, " +
    "audit.html and the adversarial images; a stopped audit goes on where it was.",
  operands: [
    {
      name: "model",
      description:
        "run folder, weights in safetensors with --architecture, or module file that exports model",
      optional: true,
    },
  ],
  options,
  examples: [
    "sqa audit runs/NAME --budget quick",
    "sqa audit W.safetensors --architecture resnet18 --images cifar10 --epsilon 4/255",
    "sqa audit runs/NAME --epsilon 0.3 --claim 'fgsm(epsilon=0.3)' --surrogate runs/OTHER",
    "sqa audit --self-test",
  ],
  run(given, context) {
    const [text] = context.operands;
    if (given.threads !== undefined) setThreads(given.threads);
    if (given.selfTest) {
      if (text !== undefined) throw new UsageError(`--self-test takes no model, given ${text}`);
      refuseBesideSelfTest(given);
      return auditSelfTest({ ...given, signal: context.signal });
    }
    if (text === undefined) throw new UsageError("give a model, such as a run folder, or --self-test");
    return run(given, text, context);
  },
});
