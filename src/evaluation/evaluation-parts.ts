import type { Attack } from "../attacks/index.js";
import { NotFiniteError, type Steps } from "../base/index.js";
import { prepareImages, type Split, TensorSplit } from "../datasets/index.js";
import {
  type Attackable,
  attackList,
  checkAnswers,
  checkImagesFit,
  clean,
  type ImageSource,
  type OpenedModel,
  type PlacedPlayers,
  type Player,
  playerOf,
  playersOn,
  splitFrom,
  type Trial,
  type TrialOptions,
  trialOf,
  trialSeeds,
} from "../trials/index.js";
import { castOf, checkOptions, type EvaluationOptions } from "./evaluation-options.js";
import { bindStore } from "./store-subject.js";

/** Checked and opened parts of an evaluation, of all images or of a shard. */
export interface EvaluationParts {
  readonly attacks: readonly Attack[];
  /** Player that attacks run on. */
  readonly attacked: Player;
  readonly opened: OpenedModel;
  readonly surrogate: OpenedModel | undefined;
  readonly split: Split;
  readonly data: TensorSplit;
  readonly players: PlacedPlayers;
  readonly trials: readonly Trial[];
  readonly seed: number;
  readonly given: TrialOptions;
}

/** Opens what an evaluation works on, goes on with `then`, and closes all at its end. */
export async function* withParts<Event, Result>(
  model: Attackable,
  images: ImageSource,
  options: EvaluationOptions,
  signal: AbortSignal,
  then: (parts: EvaluationParts) => Steps<Event, Result>,
): Steps<Event, Result> {
  checkOptions(options);
  const attacks = attackList(options.attacks);
  const split = splitFrom(images, options.limit);
  const { opened, surrogate, attacked, putBack } = castOf(model, options);
  let data: TensorSplit | undefined;
  let players: PlacedPlayers | undefined;
  try {
    checkImagesFit(split, opened);
    await prepareImages(split, { signal });
    data = new TensorSplit(split, { device: opened.device });
    for (const one of surrogate === undefined ? [opened] : [opened, surrogate]) checkAnswers(one, data);
    const cast = {
      model: opened.classifier,
      ...(surrogate && { transfers: { surrogate: surrogate.classifier } }),
    };
    for (const attack of attacks) attack.check(playerOf(cast, attacked));
    players = playersOn(opened.device, cast, signal);
    const { draws = 100, seed = 0, batchSize = 500, store, onPart } = options;
    const others = surrogate === undefined ? {} : { surrogate };
    if (store !== undefined) bindStore(store, { work: "evaluation", opened, others, split, data, seed });
    const seeds = trialSeeds(seed, "evaluation");
    const trials = [clean, ...attacks.map((attack) => trialOf({ attack, on: attacked }))];
    const given = { players, draws, seeds, batchSize, store, signal, onPart, notFinite: "fail" } as const;
    return yield* then({ attacks, attacked, opened, surrogate, split, data, players, trials, seed, given });
  } catch (error) {
    // A pass that the signal ended throws its reason.
    if (signal.aborted) return undefined;
    if (!(error instanceof NotFiniteError)) throw error;
    throw new NotFiniteError(error.what, `model ${opened.name}: ${error.message}`);
  } finally {
    data?.dispose();
    players?.dispose();
    putBack();
  }
}
