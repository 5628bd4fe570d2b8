import { norms, Victim } from "../../../../attacks/index.js";
import { deriveSeed } from "../../../../base/index.js";
import { type Batch, partsOfBatch } from "../../../../datasets/index.js";
import { noGrad, scope } from "../../../../engine/index.js";
import { Answers, answerFlags, type Counts, clean, flagsOf } from "../../../../trials/index.js";
import { isAbove, percentOf } from "../../difference.js";
import { type AuditPlan, type AuditResults, claimName } from "../../plan.js";
import { defineCheck } from "../check.js";

/** Draws in which a randomized model answers images under their own numbers and under others'. */
const draws = 16;

/** Points of accuracy that the right numbers may gain a randomized model: far above chance. */
const gained = 5;

/** Share of images that may be answered otherwise when asked again, for the last bits of another device. */
const flips = 0.02;

/** Images with noise of the radius, so that a model that knows the clean ones is asked of others too. */
function moved({ players, norm, epsilon, seed }: AuditPlan, { images, imageIds, labels }: Batch): Batch {
  const victim = new Victim(players.model, { seed: deriveSeed(seed, "moved"), imageIds }, "moved");
  const steps = norms[norm].surface(victim, images.shape.slice(1), epsilon, 0);
  return { images: images.add(steps).clamp(0, 1), imageIds, labels };
}

/** Fault of a randomized model that answers images better under their own numbers than under others'. */
function numberFaults({ players: { model }, seed, batchSize }: AuditPlan, sample: Batch): string[] {
  if (!model.randomized) return [];
  const answersTo = (batch: Batch): Counts => {
    const all = new Answers(batch.images.shape[0]!, draws);
    let first = 0;
    for (const part of partsOfBatch(batch, batchSize)) {
      const answers = new Answers(part.images.shape[0]!, draws);
      answers.count(model, part, deriveSeed(seed, "numbers"), "where their numbers were exchanged");
      for (const half of [0, 1] as const) all.halves[half].set(answers.halves[half], first);
      first += answers.images;
    }
    return all;
  };
  const [own, others] = [answersTo(sample), answersTo({ ...sample, imageIds: sample.imageIds.flip([0]) })];
  if (!isAbove(own, others, gained)) return [];
  return [
    `accuracy ${percentOf(own)} where each image comes with its own number, ${percentOf(others)} with ` +
      "another's: the model knows labels by the number of an image in the data",
  ];
}

/** Faults of a model that does not stay the same while it is audited. */
function changeFaults(plan: AuditPlan, { again }: AuditResults): string[] {
  const asked = [
    { trial: clean, what: "clean images" },
    { trial: plan.claim, what: `images under ${claimName(plan)}` },
  ];
  return asked.flatMap(({ trial, what }) => {
    const { images = 0, changed = 0 } = again(trial) ?? {};
    if (changed <= Math.max(1, flips * images)) return [];
    return [
      `${changed} of ${images} ${what} were answered otherwise when asked again at the end: the model ` +
        "changes from call to call, so no figure can be repeated",
    ];
  });
}

/**
 * A model whose answers depend on more than the image, or are no logits, cannot be evaluated image by image.
 */
export const predictions = defineCheck("predictions", {
  question: "Are outputs logits that depend on the image and the draw alone?",
  source: "Carlini et al. 2019, section 4.2; RobustBench, restrictions",
  group: "answers",
  judge(plan, results) {
    const { players, seed, batchSize } = plan;
    const { sample } = results;
    const faults = noGrad(() =>
      scope(() => {
        const key = deriveSeed(seed, "predictions");
        const onClean = flagsOf(players.model, sample, key, batchSize);
        const known = new Set(onClean.map(({ kind }) => kind));
        const onMoved = answerFlags(players.model, moved(plan, sample), key, batchSize, "images with noise");
        const flags = [...onClean, ...onMoved.filter(({ kind }) => !known.has(kind))];
        const messages = flags.map(({ message }) => message);
        return [...messages, ...numberFaults(plan, sample), ...changeFaults(plan, results)];
      }),
    );
    if (faults.length > 0) return { outcome: "invalid", evidence: faults.join("; ") };
    return { outcome: "passed", evidence: "logits, the same in every batch and when asked again" };
  },
});
