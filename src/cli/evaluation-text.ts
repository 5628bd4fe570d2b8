import { placedQuantizers } from "../defenses/index.js";
import type { Evaluation, OpenedNetwork, VoteEvaluation } from "../evaluation/index.js";
import type { Model } from "../models/index.js";
import { interval, percent, renderTable } from "../report/table.js";
import { colors } from "./frame/output.js";

/** What was evaluated, beside the numbers. */
export interface EvaluationSubject {
  readonly network: string;
  readonly model: Model;
  readonly source: OpenedNetwork["run"];
  readonly weights?: string | undefined;
  readonly dataset: string;
  /** The folder of the images where it is not the data set's own: then they need not be the official ones. */
  readonly data?: string | undefined;
  readonly split: string;
  readonly transferFrom?: string | undefined;
  readonly seed: number;
  /** The attacks as they were written: shorter than their labels, which name every option. */
  readonly attackTexts: readonly string[];
}

/** Where SQA stands: `{ relu1: { lambda: 1, range: "image", rounding: "stochastic" } }`; null where there is none. */
export function placementOf(model: Model) {
  const placed = placedQuantizers(model.module).map(([layer, { options }]) => [layer, options] as const);
  return placed.length === 0 ? null : Object.fromEntries(placed);
}

/** Images that an attack was made on in a second, in three digits. */
export function imagesPerSecond(images: number, seconds: number): number {
  return Number((images / seconds).toPrecision(3));
}

/** An evaluation as `sqa evaluate --json` prints it. */
export function evaluationJson(evaluation: Evaluation, subject: EvaluationSubject): object {
  const { images, draws, clean, attacks, worstCase, flags } = evaluation;
  const { network, dataset, split, model, source, seed, transferFrom = null } = subject;
  return {
    network,
    dataset,
    images,
    draws,
    clean: (({ perImage, ...rest }) => rest)(clean),
    attacks: attacks.map(({ perImage, ...rest }) => rest),
    ...(worstCase === undefined ? {} : { worstCase }),
    split,
    ...(subject.data === undefined ? {} : { data: subject.data }),
    seed,
    sqa: placementOf(model),
    transferFrom,
    ...(source === undefined
      ? { weights: subject.weights }
      : { run: { path: source.path, finished: source.finished, ...(source.finished ? {} : { steps: source.steps }) } }),
    flags,
  };
}

/** An evaluation as a table for a terminal, with what was evaluated above and warnings below. */
export function evaluationTable(evaluation: Evaluation, subject: EvaluationSubject): string {
  const { images, draws, clean, attacks, worstCase, flags } = evaluation;
  const { network, dataset, split, model, transferFrom, attackTexts } = subject;
  const { bold, dim, yellow } = colors("stdout");
  const placed = placedQuantizers(model.module);
  const sqa = placed.map(([layer, { options }]) => `${layer}=${options.lambda}`).join(", ");
  const heading = [
    `${network}${sqa === "" ? "" : ` with SQA (${sqa})`}`,
    `${images} images of ${dataset}, ${split}${subject.data === undefined ? "" : `, from ${subject.data}`}`,
    draws === 1 ? "one answer an image" : `${draws} fresh draws an image`,
    ...(transferFrom === undefined
      ? []
      : [`attacks made on ${transferFrom === "twin" ? "the network with SQA off" : transferFrom}`]),
  ].join(" · ");
  const passes = (count: number) => Math.round(count);
  const voted = clean.votes !== undefined;
  const row = (name: string, accuracy: number, low: number, high: number, votes: VoteEvaluation | undefined) => [
    name,
    percent(accuracy),
    interval(low, high),
    ...(voted ? [votes === undefined ? "" : percent(votes.majority.accuracy)] : []),
  ];
  const rows = [
    [...row("clean", clean.accuracy, clean.low, clean.high, clean.votes), "", "", "", ""],
    ...attacks.map((a, i) => [
      ...row(attackTexts[i] ?? a.attack, a.robustAccuracy, a.low, a.high, a.votes),
      passes(a.passes.forward),
      passes(a.passes.backward),
      a.seconds.toFixed(1),
      imagesPerSecond(images, a.seconds),
    ]),
    ...(worstCase === undefined || attacks.length < 2
      ? []
      : [
          [
            ...row("worst case of each image", worstCase.accuracy, worstCase.low, worstCase.high, undefined),
            "",
            "",
            "",
            "",
          ],
        ]),
  ];
  const cost = ["forward", "backward", "seconds", "images/s"];
  const columns = ["accuracy %", "95 % interval", ...(voted ? ["majority %"] : []), ...cost];
  const align = ["left" as const, ...columns.map(() => "right" as const)];
  const table = renderTable({ columns: ["attack", ...columns], rows, align }, "terminal", { heading: bold, rule: dim });
  const notes = [
    ...(voted ? [dim(`accuracy: the mean of one draw; majority: the vote of all ${draws} draws`)] : []),
    dim("forward, backward: passes of an image through the attacked network"),
    ...flags.map(({ message }) => yellow(`warning: ${message}`)),
  ];
  return [heading, "", table, "", ...notes].join("\n");
}
