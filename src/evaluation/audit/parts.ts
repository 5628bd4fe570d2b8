import { join } from "node:path";
import { deriveSeed, type Steps } from "../../base/index.js";
import { prepareImages, TensorSplit } from "../../datasets/index.js";
import { noGrad, scope } from "../../engine/index.js";
import {
  type Attackable,
  checkAnswers,
  checkImagesFit,
  checkSameForm,
  FolderStore,
  type ImageSource,
  MemoryStore,
  type OpenedModel,
  openModel,
  type Players,
  playersOn,
  splitFrom,
  type Trial,
  type TrialOptions,
  type TrialStore,
  trialSeeds,
} from "../../trials/index.js";
import { bindStore } from "../store-subject.js";
import { checkShared } from "./criterion/baseline.js";
import { checkMeasured } from "./criterion/requirement.js";
import { imageHashes } from "./evidence/data-facts.js";
import { type AuditSubject, auditName } from "./identity.js";
import { type AuditOptions, auditSettings } from "./options.js";
import type { AuditPlan } from "./plan.js";
import type { AuditJson } from "./report/schema/audit.js";
import { trialsOf } from "./trials-of.js";

/** Images that surrogates are compared with the model on. */
const comparedImages = 16;

/** Checked and opened parts of an audit, of all images or of a shard. */
export interface AuditParts {
  readonly subject: AuditSubject;
  readonly plan: AuditPlan;
  /** Name of the audit, which says what decides its numbers. */
  readonly id: string;
  /** Folder that keeps the trials; undefined where they are kept elsewhere. */
  readonly folder: string | undefined;
  readonly trials: readonly Trial[];
  readonly given: TrialOptions & { readonly store: TrialStore };
  /** Circumstances of shards whose trials are merged; undefined where there are none. */
  readonly shards?: AuditJson["environment"]["shards"];
}

/** Opens what an audit works on, goes on with `then`, and closes all at its end. */
export async function* withSubject<Event, Result>(
  model: Attackable,
  images: ImageSource,
  options: AuditOptions,
  signal: AbortSignal,
  then: (parts: AuditParts) => Steps<Event, Result>,
): Steps<Event, Result> {
  const settings = auditSettings(options);
  const all = splitFrom(images);
  const split = splitFrom(all, options.limit ?? Math.min(all.count, settings.budget.images));
  const opened = openModel(model, options.device);
  const others: Record<string, OpenedModel> = {};
  const closing: (() => void)[] = [opened.putBack];
  try {
    checkImagesFit(split, opened);
    if (opened.classifier.randomized && settings.budget.draws < 2) {
      const { draws } = settings.budget;
      throw new RangeError(`budget.draws must be at least 2 for a randomized model, not ${draws}`);
    }
    settings.claim.attack!.check(opened.classifier);
    const { randomized } = opened.classifier;
    checkMeasured(settings.requirements, { randomized, seeds: settings.budget.seeds });
    for (const [name, other] of Object.entries(options.transfers ?? {})) {
      others[name] = openModel(other, opened.device, `transfers.${name}`);
      closing.push(others[name].putBack);
      checkSameForm(`transfers.${name}`, others[name], opened);
    }
    await prepareImages(split, { signal });
    const data = new TensorSplit(split, { device: opened.device });
    closing.push(() => data.dispose());
    for (const one of [opened, ...Object.values(others)]) checkAnswers(one, data);
    if (settings.baseline !== undefined) checkShared(settings.baseline, imageHashes(data));
    const subject = { settings, opened, transfers: others, split, data };
    const { store } = options;
    if (store !== undefined) {
      bindStore(store, { work: "audit", opened, others, split, data, seed: settings.seed });
    }
    const players = playersOn(opened.device, playersOf(subject), signal);
    closing.push(() => players.dispose());
    return yield* then(partsOf(subject, players, options, signal));
  } catch (error) {
    // A pass that the signal ended throws its reason.
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    for (const close of closing) close();
  }
}

function partsOf(
  subject: AuditSubject,
  players: Players,
  options: AuditOptions,
  signal: AbortSignal,
): AuditParts {
  const { settings, split, data } = subject;
  const { batchSize, norm, epsilon, claim, claimed } = settings;
  const seed = deriveSeed(settings.seed, "audit");
  const budget = { ...settings.budget, images: split.count };
  const lenders = lendersOf(players, data);
  const plan: AuditPlan = { players, budget, norm, epsilon, claim, claimed, seed, batchSize, lenders };
  const id = auditName(subject);
  const folder = options.folder === undefined ? undefined : join(options.folder, id);
  const store = options.store ?? (folder === undefined ? new MemoryStore() : new FolderStore(folder));
  const given = { players, draws: budget.draws, seeds: trialSeeds(seed), batchSize, store, signal };
  return { subject, plan, id, folder, trials: trialsOf(plan), given };
}

function playersOf({ opened, transfers }: AuditSubject): Players {
  const others = Object.entries(transfers).map(([name, { classifier }]) => [name, classifier] as const);
  return { model: opened.classifier, transfers: Object.fromEntries(others) };
}

/**
 * Change of logits beyond which a surrogate answers otherwise than the model, as a share of the largest
 * logit.
 */
const noticeable = 1e-3;

/**
 * Names of the surrogates that answer otherwise than the model: images made on them are an attack of their
 * own.
 */
function lendersOf({ model }: Players, data: TensorSplit): string[] {
  return scope(() =>
    noGrad(() => {
      const { images, imageIds } = data.range(0, comparedImages);
      const noise = { seed: { low: 0, high: 0 }, draw: 0, imageIds };
      const logits = model.logits(images, noise);
      const limit = noticeable * logits.abs().amax().item();
      return Object.entries(model.surrogates ?? {})
        .filter(
          ([, surrogate]) => !(surrogate.logits(images, noise).sub(logits).abs().amax().item() <= limit),
        )
        .map(([name]) => name);
    }),
  );
}
