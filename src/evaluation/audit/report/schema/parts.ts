import * as z from "zod";
import { budgetOptions } from "../../budget.js";
import { verdictNames } from "../../verdict/verdict.js";

/** Share in [0, 1]. */
export const share = z.number().min(0).max(1);
/** Whole number of at least 0. */
export const count = z.int().min(0);
/** SHA-256 in hexadecimal digits. */
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** Time in ISO 8601. */
export const time = z.iso.datetime();
/** Norms that lengths in a report may be of. */
export const norm = z.enum(["linf", "l2", "l1"]);
/** Effort of an audit. */
export const budget = budgetOptions;

/** Accuracy with its 95 % interval. */
export const accuracy = z.strictObject({ accuracy: share, low: share, high: share });

/** Accuracy with its 95 % interval and the name of the interval's method. */
export const figure = z
  .strictObject({ ...accuracy.shape, method: z.string() })
  .describe("accuracy with its 95 % interval, and the method of the interval");

/** Passes of an image through the audited model. */
export const passes = z.strictObject({ forward: z.number().min(0), backward: z.number().min(0) });

/** Verdict with the sentences that decided. */
export const verdict = z.strictObject({
  name: z.enum(verdictNames),
  text: z.string(),
  reasons: z.array(z.strictObject({ line: z.string().optional(), text: z.string() })),
});

/** Line of the checklist. */
export const line = z.strictObject({
  name: z.string(),
  group: z.string(),
  question: z.string(),
  source: z.string(),
  outcome: z.enum(["passed", "noted", "masked", "invalid", "skipped"]),
  evidence: z.string(),
});

const points = z.array(z.strictObject({ at: z.number().min(0), ...accuracy.shape }));

/** Curve of accuracy against the radius. */
export const curve = z.strictObject({
  name: z.string(),
  by: z.enum(["gradients", "others", "all"]),
  fromLengths: z.boolean(),
  method: z.string().describe("method of the points' intervals"),
  points,
});

/** Curve of accuracy against effort. */
export const convergence = z.strictObject({
  against: z.enum(["steps", "restarts", "draws"]),
  name: z.string(),
  method: z.string().describe("method of the points' intervals"),
  points,
});

const criterion = z.strictObject({ require: z.string(), writtenAt: time, batchesBefore: count });
const outcomeName = z.enum(["pass", "fail", "undecided"]);
const change = z.strictObject({
  before: share,
  now: share,
  fallen: z.number().describe("points that the accuracy has fallen"),
  error: z.number().min(0).optional().describe("half the width of its 95 % interval, paired by image"),
  p: share.nullable().describe("of McNemar's exact test; null for randomized models"),
});

/** Outcome of what was required: the criterion, as it was written down, and an earlier audit. */
export const outcome = z.strictObject({
  name: outcomeName,
  text: z.string(),
  criterion: criterion.optional(),
  otherCriteria: z.array(criterion),
  requirements: z.array(
    z.strictObject({
      figure: z.string(),
      operator: z.enum([">=", ">"]),
      threshold: share,
      outcome: outcomeName,
      value: figure.nullable(),
      text: z.string(),
    }),
  ),
  baseline: z
    .strictObject({
      outcome: outcomeName,
      text: z.string(),
      model: z.string(),
      date: time,
      weightsSha256: sha256.nullable(),
      images: count,
      clean: change,
      worst: change,
      remarks: z.array(z.string()),
    })
    .optional(),
});
