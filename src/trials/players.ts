import { deriveSeed } from "../base/index.js";
import type { Classifier } from "../nn/classifier.js";

/** What an audit judges: a network, and others whose adversarial images it is shown, by name. */
export interface Subject {
  readonly model: Classifier;
  readonly transfers?: Readonly<Record<string, Classifier>> | undefined;
}

/**
 * A network that a trial attacks or asks: the audited one, one of its substitutes (`substitute:twin`), another network
 * (`transfer:NAME`), or the audited one with its noise fixed at a draw that the attacker knows (`known-draw:0`).
 */
export type Player = "network" | `substitute:${string}` | `transfer:${string}` | `known-draw:${number}`;

/** A randomized network whose noise is that of one draw: deterministic, and an image's logits do not depend on its batch. */
export function withKnownDraw(model: Classifier, draw: number): Classifier {
  const seed = deriveSeed(draw, "known draw");
  const { inputShape, classes } = model;
  return {
    inputShape,
    classes,
    randomized: false,
    logits: (images, { imageIds }) => model.logits(images, { seed, draw: 0, imageIds }),
  };
}

/** The network that a player stands for. Throws a RangeError when the subject has none of that name. */
export function playerOf({ model, transfers = {} }: Subject, player: Player): Classifier {
  const [kind, name = ""] = player.split(/:(.*)/s);
  if (kind === "known-draw") return withKnownDraw(model, Number(name));
  if (kind === "network") return model;
  const others = kind === "substitute" ? (model.substitutes ?? {}) : transfers;
  if (!Object.hasOwn(others, name)) throw new RangeError(`the audited network has no ${kind} "${name}"`);
  return others[name]!;
}
