import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import * as z from "zod";
import { parseAttack, shortLabel } from "../../attacks/index.js";
import { deriveSeed } from "../../base/index.js";
import { datasetByName, subset } from "../../datasets/index.js";
import { setThreads } from "../../engine/index.js";
import {
  type Audit,
  type AuditEvent,
  type AuditPlan,
  attackOf,
  audit,
  type Budget,
  type BudgetName,
  budgets,
  claimTrial,
  FolderStore,
  type Subject,
  type Trial,
} from "../../evaluation/audit/index.js";
import { networkFromRun, type OpenedNetwork } from "../../evaluation/index.js";
import { parseCall } from "../../options/call.js";
import { ratio } from "../../options/ratio.js";
import { readBy } from "../../options/read-by.js";
import { writeAuditFiles } from "../audit-files.js";
import { auditSelfTest } from "../audit-self-test.js";
import { auditText } from "../audit-text.js";
import { dataOptions } from "../data-options.js";
import { placementOf } from "../evaluation-text.js";
import { type CommandContext, defineCommand } from "../frame/command.js";
import { note, out } from "../frame/output.js";
import { withProgress } from "../frame/progress.js";
import { UsageError } from "../frame/usage-error.js";
import { runOptions } from "../run-options.js";

const options = z.strictObject({
  budget: z
    .enum(Object.keys(budgets) as [BudgetName, ...BudgetName[]])
    .default("standard")
    .describe("how much is spent"),
  epsilon: ratio({ above: 0 }).optional().describe("radius of the claim (default: that of the run's training)"),
  norm: z.enum(["linf", "l2"]).default("linf").describe("norm of the radius"),
  claim: readBy("an attack such as pgd(epsilon=0.3)", parseAttack)
    .optional()
    .describe("attack that the claimed accuracy was measured by (default: PGD with 40 steps, the paper's)"),
  transferFrom: z.array(z.string().min(1)).default([]).describe("run folders of other networks to take images from"),
  limit: z.int().min(1).optional().describe("test images (default: the budget's)"),
  data: dataOptions.data,
  seed: z.int().min(0).default(0).describe("seed of all noise"),
  out: z.string().min(1).optional().describe("folder of the report (default: inside the run folder)"),
  threads: runOptions.threads,
  selfTest: z.boolean().default(false).describe("audit networks known to be broken or robust, in place of a run"),
  json: z.boolean().default(false).describe("print audit.json in place of the table"),
});
type Options = z.output<typeof options>;

/** The radius that a run trained for, in its method's options. */
function trainedEpsilon({ run }: OpenedNetwork): number {
  const epsilon = run === undefined ? undefined : parseCall(run.config.method).options.epsilon;
  if (typeof epsilon !== "number") throw new UsageError("give --epsilon: the run's training method has none");
  return epsilon;
}

function planOf(given: Options, opened: OpenedNetwork, subject: Subject): AuditPlan {
  const { norm } = given;
  if (norm !== "linf" && given.epsilon === undefined) {
    throw new UsageError(`give --epsilon: training's radius is none in ${norm}`);
  }
  const epsilon = given.epsilon ?? trainedEpsilon(opened);
  if (norm === "linf" && epsilon > 1) {
    throw new UsageError(
      `--epsilon ${epsilon}: an l-infinity radius is at most 1; gray levels are written as in 8/255`,
    );
  }
  // The paper's PGD: 40 steps of a thirtieth of epsilon 0.3.
  const claim = given.claim ?? `pgd(norm=${norm}, epsilon=${epsilon}, stepSize=${epsilon / 30}, steps=40)`;
  const { traits, label } = parseAttack(claim);
  if (traits.norm !== norm || traits.radius === undefined || Math.abs(traits.radius - epsilon) > 1e-9 * epsilon) {
    throw new UsageError(
      `--claim ${label} is not of ${norm} radius ${epsilon}: give --norm and --epsilon that it is made for`,
    );
  }
  const { images, ...budget } = budgets[given.budget];
  return {
    subject,
    budget: { ...budget, images: given.limit ?? images },
    norm,
    epsilon,
    claim: claimTrial(claim),
    seed: deriveSeed(given.seed, "audit"),
  };
}

/**
 * The folder that an audit's trials are kept in: named by what decides its numbers, so that another network's or plan's are
 * never mixed in, in a folder of the user's own either.
 */
function folderOf(given: Options, { run }: OpenedNetwork, plan: AuditPlan): string {
  const { subject: _, ...rest } = plan;
  // What the curve adds are trials of their own names, so that an audit begun without them goes on with them.
  const { curve: __, ...budget }: Budget = rest.budget;
  const { out: parent, transferFrom } = given;
  // Inside its run folder an audit need not say whose it is.
  const of = parent === undefined ? undefined : nameOf(run!.path);
  const hash = createHash("sha256")
    .update(readFileSync(join(run!.path, "weights.safetensors")))
    .update(JSON.stringify({ ...rest, budget, data: given.data, transfers: transferFrom, of }));
  for (const path of transferFrom) hash.update(readFileSync(join(path, "weights.safetensors")));
  return join(parent ?? run!.path, `audit-${given.budget}-${hash.digest("hex").slice(0, 8)}`);
}

/** A run's name: that of its folder. */
function nameOf(path: string): string {
  return basename(resolve(path));
}

function subjectOf(opened: OpenedNetwork, paths: readonly string[]): Subject {
  const { inputShape, classes } = opened.model;
  const names = paths.map(nameOf);
  const transfers = paths.map((path, i) => {
    const { model, run } = networkFromRun(path);
    if (!run!.finished) throw new Error(`run ${path} is not finished: train it to its end, then take images from it`);
    if (names.indexOf(names[i]!) !== i) {
      throw new UsageError(`--transfer-from ${path}: another folder of that name was given already`);
    }
    if (model.inputShape.join() !== inputShape.join() || model.classes !== classes) {
      throw new UsageError(`--transfer-from ${path}: its network takes other images or has other classes`);
    }
    return [names[i]!, model.classifier()] as const;
  });
  return { model: opened.model.classifier(), transfers: Object.fromEntries(transfers) };
}

async function run(given: Options, path: string, { signal }: CommandContext): Promise<number> {
  const opened = networkFromRun(path);
  const source = opened.run!;
  if (!source.finished) throw new Error(`run ${source.path} is not finished: train it to its end, then audit it`);
  const plan = planOf(given, opened, subjectOf(opened, given.transferFrom));
  const { test } = datasetByName(source.config.dataset).load(
    given.data === undefined ? {} : { folder: given.data, checksums: false },
  );
  const { images } = plan.budget;
  if (images > test.count) {
    const asked = given.limit === undefined ? `--budget ${given.budget} takes ${images} images` : `--limit ${images}`;
    throw new UsageError(`${asked}: the test split has ${test.count} images; give --limit ${test.count} at most`);
  }
  const split = subset(test, images);
  const kept = folderOf(given, opened, plan);
  const store = new FolderStore(kept);
  const found = await withBar(audit(plan, split, { store, signal }), kept);
  const files = await writeAuditFiles(given.out ?? kept, {
    audit: found,
    plan,
    split,
    store,
    name: nameOf(source.path),
    network: opened.model.network,
    dataset: source.config.dataset,
    sqa: placementOf(opened.model),
    seed: given.seed,
  });
  out(given.json ? readFileSync(files.json, "utf8").trimEnd() : auditText(found, plan, files));
  return 0;
}

async function withBar(events: AsyncIterable<AuditEvent>, folder: string): Promise<Audit> {
  const shown = withProgress(events, { label: "audit" }, (event) => {
    if (event.type === "estimate") note(`${event.trials} attacks and probes; working out how long they take`);
    if (event.type === "plan") {
      note(`at most about ${durationText(event.seconds)}; kept in ${folder}`);
      return { total: Math.round(event.seconds) };
    }
    if (event.type !== "progress") return undefined;
    const [done, total] = [event.done, event.seconds].map(Math.round);
    return { done: done!, total: total!, metrics: { under: shortTrial(event.trial) } };
  });
  for await (const event of shown) if (event.type === "end") return event.audit;
  throw new Error("the audit ended without a result");
}

function shortTrial(trial: Trial): string {
  const attack = attackOf(trial);
  const name = attack === undefined ? "clean" : shortLabel(attack.label);
  return trial.on === "network" ? name : `${name} on ${trial.on}`;
}

function durationText(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}

/** What of the options the self-test goes by; all else is fixed in it. */
const ofSelfTest: readonly string[] = ["selfTest", "data", "threads", "json"];

function refuseBesideSelfTest(given: Options): void {
  const defaults: Readonly<Record<string, unknown>> = options.parse({});
  const other = Object.entries(given).find(
    ([name, value]) => !ofSelfTest.includes(name) && JSON.stringify(value) !== JSON.stringify(defaults[name]),
  );
  if (other === undefined) return;
  const flag = other[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new UsageError(`--self-test cannot be given together with --${flag}: what it audits, and how, is fixed`);
}

/** `sqa audit`: whether a run's robustness is real. */
export const auditCommand = defineCommand({
  name: "audit",
  summary: "tell whether a network's claimed robustness is real",
  description:
    "Run the checklist of Athalye et al., Carlini et al. and Pintor et al. on a run's network and give a verdict with the evidence: robust as claimed, not robust, overstated, masked or invalid. Writes audit.json, audit.html and the adversarial images; a stopped audit goes on where it was.",
  operands: [{ name: "run", description: "run folder, whose network is audited", optional: true }],
  options,
  examples: [
    "sqa audit runs/NAME --budget quick",
    "sqa audit --self-test",
    'sqa audit runs/NAME --epsilon 0.3 --claim "fgsm(epsilon=0.3)" --transfer-from runs/OTHER',
  ],
  run(given, context) {
    const [path] = context.operands;
    if (given.threads !== undefined) setThreads(given.threads);
    if (given.selfTest) {
      if (path !== undefined) throw new UsageError(`--self-test takes no run folder, given ${path}`);
      refuseBesideSelfTest(given);
      return auditSelfTest({ ...given, signal: context.signal });
    }
    if (path === undefined) throw new UsageError("give a run folder, or --self-test");
    return run(given, path, context);
  },
});
