import * as z from "zod";
import { accuracy, count, figure, sha256, share, time } from "./parts.js";

const sentences = z.array(z.string());

const model = z.strictObject({
  file: z
    .strictObject({ name: z.string(), sha256, format: z.string() })
    .nullable()
    .describe("file that the model was read from"),
  weightsSha256: sha256
    .nullable()
    .describe("of names, types, shapes and bytes of all weights; null for a classifier of a user's own"),
  graph: z
    .strictObject({
      format: z.string().describe("format with its version and the program that wrote it"),
      sha256: sha256.describe(
        "of operators, attributes, connections and shapes, without names and weights: two exports of a " +
          "network by one exporter have the same",
      ),
      operators: count,
      blocked: sentences.describe("operators that block gradients, with the names of their nodes"),
      random: sentences.describe("random operators, with the names of their nodes"),
    })
    .nullable()
    .describe("graph of an exported model; null for models of other kinds"),
  parameters: count.nullable(),
  inputShape: z.array(count),
  classes: count,
  outputs: z.string().describe("kind of the outputs, as far as the audit could tell"),
  preprocessing: z.strictObject({ where: z.string(), steps: sentences }),
  randomized: z.boolean(),
  surrogates: sentences,
  notes: sentences.describe("findings in the model's file: blocked and random operators, what was removed"),
  training: z
    .strictObject({ run: z.string(), config: z.record(z.string(), z.unknown()) })
    .nullable()
    .describe("run that trained the model, with its seed"),
});

const data = z.strictObject({
  images: count,
  manifestSha256: sha256.describe("of a line `id sha256 label` for each image, in order"),
  ids: z.string().describe("the images' ids"),
  sampling: z.string(),
  decoding: z.string(),
  source: z.string().nullable().describe("origin and license, as the user states them"),
});

const perClass = z.array(
  z.strictObject({
    label: count,
    name: z.string(),
    images: count,
    clean: accuracy.nullable(),
    worst: accuracy.nullable(),
  }),
);

/** Result of the audit's self-test: its audits of models that are known to be broken or robust. */
export const selfTest = z.strictObject({
  passed: z.boolean().describe("each model got a verdict that it deserves"),
  finishedAt: time,
  sqa: z.string(),
  libtorch: z.string(),
  cpuCapability: z.string(),
  kernels: z.string(),
  cases: z
    .array(
      z.strictObject({ name: z.string(), expected: sentences, verdict: z.string(), passed: z.boolean() }),
    )
    .min(1),
});

/** Facts that let others judge and repeat an audit. */
export const evidence = z.strictObject({
  model,
  data,
  threatModel: z.strictObject({
    goal: z.string(),
    knowledge: z.string(),
    capability: z.string(),
    stage: z.string(),
    epsilonText: z.string().describe("radius in gray levels where it is a whole number of them"),
    epsilonNormalized: z
      .array(z.number().min(0))
      .nullable()
      .describe("radius of each channel behind the model's own normalization"),
    survives8Bit: share.nullable(),
  }),
  selfTest: z.strictObject({
    result: z
      .strictObject({
        ...selfTest.shape,
        sameEnvironment: z.boolean().describe("it ran by the versions and kernels of this audit"),
      })
      .nullable(),
    reason: z.string().nullable().describe("reason for having no result"),
  }),
  randomness: sentences,
  perClass,
  perClassMethod: z.string(),
  baselines: z.array(z.strictObject({ name: z.string(), ...figure.shape })),
  statistics: sentences,
  notTested: sentences,
  supports: z
    .array(z.strictObject({ document: z.string(), clause: z.string(), fields: sentences }))
    .describe("clauses of documents that fields of this file support; no claim of conformity"),
});

/** Versions and machine that attacks ran on. */
const machine = {
  sqa: z.string(),
  node: z.string(),
  libtorch: z.string(),
  cpuCapability: z.string(),
  kernels: z.string(),
  platform: z.string(),
  cpu: z.string(),
  gpu: z.string().nullable(),
  device: z.string(),
  threads: count,
};

/** Sitting of a shard: one process that worked on it, until its end or until it was stopped. */
export const sitting = z.strictObject({
  host: z.string().describe("name of the machine"),
  ...machine,
  startedAt: time,
  finishedAt: time.nullable().describe("null where the process was killed"),
  command: z.string(),
});

/** Versions, machine, time, and the people and commands behind an audit. */
export const environment = z.strictObject({
  ...machine,
  startedAt: time,
  finishedAt: time,
  seconds: z.number().min(0).describe("time of all attacks together, earlier sittings included"),
  command: z.string().nullable().describe("command that repeats the audit"),
  author: z.string().nullable().describe("person or body that audited, as stated by the user"),
  shards: z
    .array(z.strictObject({ shard: z.string(), sittings: z.array(sitting) }))
    .optional()
    .describe("circumstances of each shard; the other fields are then those of the merge"),
});
