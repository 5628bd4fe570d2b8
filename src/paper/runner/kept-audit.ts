import * as z from "zod";
import { writeFileAtomic } from "../../base/index.js";
import { type Report, verdictNames } from "../../evaluation/index.js";
import type { RunFolder } from "../../training/index.js";
import type { Answer, Question } from "./cell.js";
import { keptFile, keptFiles, readKept } from "./kept-file.js";
import { type Machine, machineSchema } from "./share-machine.js";

/** Question for an audit. */
export type AuditQuestion = Question & Required<Pick<Question, "audit">>;

/** Questions that ask for an audit. */
export function auditsOf(questions: readonly Question[]): AuditQuestion[] {
  return questions.filter((question): question is AuditQuestion => question.audit !== undefined);
}

const share = z.number().min(0).max(1);
const answerSchema = z.object({
  accuracy: share,
  low: share,
  high: share,
  images: z.int().min(1),
  verdict: z.enum(verdictNames),
});

/** Question as data, which decides the name of the file that keeps its answer. */
function questionData({ attack, audit, limit, noiseFree = false }: AuditQuestion) {
  return { claim: attack ?? null, budget: audit, limit, noiseFree, code: attack?.code };
}

const fileOf = (folder: RunFolder, question: AuditQuestion) =>
  keptFile(folder, "verdict", questionData(question));

const keptSchema = z.object({ answer: answerSchema, machine: machineSchema.optional() });

/** Keeps the worst case and the verdict of an audit. */
export function keepAudit(
  folder: RunFolder,
  question: AuditQuestion,
  report: Report,
  machine: Machine,
): void {
  const { accuracy, low, high } = report.worst;
  const answer: Answer = { accuracy, low, high, images: report.images, verdict: report.verdict.name };
  const kept = { question: questionData(question), ...keptFiles(folder), machine, answer };
  writeFileAtomic(fileOf(folder, question), `${JSON.stringify(kept, null, 2)}\n`);
}

/**
 * Answer of an audit that was made before; undefined where it is yet to be made.
 *
 * @throws FileFormatError that names a damaged file
 */
export function keptAudit(folder: RunFolder, question: AuditQuestion): Answer | undefined {
  const read = (json: unknown): Answer => {
    const { answer, machine } = keptSchema.parse(json);
    return machine === undefined ? answer : { ...answer, machine };
  };
  return readKept(folder, fileOf(folder, question), read, "audit");
}
