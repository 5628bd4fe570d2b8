import { deriveSeed } from "../base/index.js";
import type { Classifier } from "../nn/index.js";

/**
 * Classifiers that trials attack and ask: the model, and others whose adversarial images it is shown, by
 * name.
 */
export interface Players {
  readonly model: Classifier;
  readonly transfers?: Readonly<Record<string, Classifier>> | undefined;
}

/**
 * Name of a player: the model; one of its surrogates (`surrogate:noise-free`); another classifier
 * (`transfer:NAME`); or the model with its noise fixed to a seed that the attacker knows (`fixed-seed:0`).
 */
export type Player = "model" | `surrogate:${string}` | `transfer:${string}` | `fixed-seed:${number}`;

/**
 * Randomized classifier with its noise fixed to one draw: deterministic, and logits do not depend on the
 * batch.
 */
export function withFixedSeed(classifier: Classifier, number: number): Classifier {
  const noise = { seed: deriveSeed(number, "fixed seed"), draw: 0 };
  const { inputShape, classes } = classifier;
  return {
    inputShape,
    classes,
    randomized: false,
    logits: (images, { imageIds }) => classifier.logits(images, { ...noise, imageIds }),
    ...(classifier.pass && {
      pass: (images, { imageIds }) => classifier.pass?.(images, { ...noise, imageIds }),
    }),
  };
}

/** Classifier of a player. RangeError when there is none of that name. */
export function playerOf({ model, transfers = {} }: Players, player: Player): Classifier {
  const [kind, name = ""] = player.split(/:(.*)/s);
  if (kind === "model") return model;
  if (kind === "fixed-seed") return withFixedSeed(model, Number(name));
  const others = kind === "surrogate" ? (model.surrogates ?? {}) : transfers;
  if (Object.hasOwn(others, name)) return others[name]!;
  const names = Object.keys(others);
  const known = names.length === 0 ? "there is none" : `known: ${names.join(", ")}`;
  throw new RangeError(
    `no ${kind === "surrogate" ? "surrogate of the model" : "transfer"} is named "${name}"; ${known}`,
  );
}
