import { rmSync } from "node:fs";
import type { Attack } from "../../attacks/index.js";
import { isObject, writeFileAtomic } from "../../base/index.js";
import { type Evaluation, FolderStore } from "../../evaluation/index.js";
import { codeOf } from "../../options/index.js";
import type { RunFolder } from "../../training/index.js";
import type { Answer, Question } from "./cell.js";
import { keptFile, keptFiles, readKept } from "./kept-file.js";
import { type Machine, machineSchema } from "./share-machine.js";

/** Fresh draws in which a randomized model answers each image. */
export const answerDraws = 10;

/** Questions that one evaluation answers: alike but for their attacks. */
export interface EvaluationPlan {
  readonly attacks: readonly Attack[];
  readonly limit: number | null;
  readonly noiseFree: boolean;
  readonly surrogate: string | undefined;
  readonly questions: readonly Question[];
}

/** Evaluations that answer all questions but those for audits, each attack once in its evaluation. */
export function plansOf(questions: readonly Question[]): EvaluationPlan[] {
  const groups = new Map<string, Question[]>();
  for (const question of questions) {
    if (question.audit !== undefined) continue;
    const { limit, noiseFree = false, surrogate = null } = question;
    const group = JSON.stringify([limit, noiseFree, surrogate]);
    groups.set(group, [...(groups.get(group) ?? []), question]);
  }
  return [...groups.values()].map((members) => {
    const { limit, noiseFree = false, surrogate } = members[0]!;
    const attacks = new Map(
      members.flatMap(({ attack }) => (attack === undefined ? [] : [[String(attack), attack]])),
    );
    return { attacks: [...attacks.values()], limit, noiseFree, surrogate, questions: members };
  });
}

/** Plan as data, which decides the name of the file that keeps its evaluation. */
function planData({ attacks, limit, noiseFree, surrogate }: EvaluationPlan) {
  const code = codeOf(attacks);
  return { attacks, limit, draws: answerDraws, noiseFree, surrogate: surrogate ?? null, code };
}

const fileOf = (folder: RunFolder, plan: EvaluationPlan) => keptFile(folder, "evaluation", planData(plan));

const trialsOf = (folder: RunFolder, plan: EvaluationPlan) => fileOf(folder, plan).replace(/\.json$/, "");

/** Store of an evaluation's finished batches, until the whole is kept. */
export function trialStore(folder: RunFolder, plan: EvaluationPlan): FolderStore {
  return new FolderStore(trialsOf(folder, plan), { images: false });
}

/** Removes an evaluation's finished batches. */
export function forgetTrials(folder: RunFolder, plan: EvaluationPlan): void {
  rmSync(trialsOf(folder, plan), { recursive: true, force: true });
}

/** Keeps an evaluation, without the answers to each image, in place of its finished batches. */
export function keepEvaluation(
  folder: RunFolder,
  plan: EvaluationPlan,
  evaluation: Evaluation,
  machine: Machine,
): void {
  const withoutImages = (_: string, value: unknown) => (ArrayBuffer.isView(value) ? undefined : value);
  const kept = { plan: planData(plan), ...keptFiles(folder), machine, evaluation };
  const text = JSON.stringify(kept, withoutImages, 2);
  writeFileAtomic(fileOf(folder, plan), `${text}\n`);
  forgetTrials(folder, plan);
}

/**
 * Answers to a plan's questions, by their keys; undefined where its evaluation is yet to be made.
 *
 * @throws FileFormatError that names a damaged file
 */
export function keptAnswers(folder: RunFolder, plan: EvaluationPlan): Record<string, Answer> | undefined {
  const read = (json: unknown): Record<string, Answer> => {
    const kept = json as { machine?: unknown; evaluation: Evaluation };
    const machine = machineSchema.optional().parse(kept.machine);
    const onMachine = machine === undefined ? {} : { machine };
    const answers = plan.questions.map((question) => {
      return [question.key, { ...answerTo(question, kept.evaluation), ...onMachine }];
    });
    return Object.fromEntries(answers);
  };
  return readKept(folder, fileOf(folder, plan), read, "evaluate");
}

function answerTo({ attack }: Question, { images, clean, attacks }: Evaluation): Answer {
  if (attack === undefined)
    return checked({ accuracy: clean.accuracy, low: clean.low, high: clean.high, images });
  const found = attacks.find((row) => row.attack === String(attack));
  if (found === undefined) throw new RangeError(`it has no accuracy under ${attack}`);
  return checked({ accuracy: found.robustAccuracy, low: found.low, high: found.high, images });
}

function checked(answer: Answer): Answer {
  const fits = isObject(answer) && Object.values(answer).every((value) => Number.isFinite(value));
  if (!fits) throw new RangeError("an accuracy, its interval or the number of images is missing");
  return answer;
}
