import { join } from "node:path";
import { NotFiniteError, type Steps } from "../base/index.js";
import { prepareImages, TensorSplit } from "../datasets/index.js";
import {
  type Attackable,
  attackList,
  checkAnswers,
  checkImagesFit,
  clean,
  FolderStore,
  type ImageSource,
  type PlacedPlayers,
  playerOf,
  playersOn,
  splitFrom,
  type Trial,
  type TrialOptions,
  trialOf,
  trialSeeds,
} from "../trials/index.js";
import { type EvaluationSubject, evaluationFacts, evaluationName } from "./evaluation-name.js";
import { castOf, checkOptions, type EvaluationOptions } from "./evaluation-options.js";
import { bindStore } from "./store-subject.js";

/** Checked and opened parts of an evaluation, of all images or of a shard. */
export interface EvaluationParts extends EvaluationSubject {
  readonly players: PlacedPlayers;
  readonly trials: readonly Trial[];
  /** Folder that keeps the trials; undefined where they are kept elsewhere, or not at all. */
  readonly folder: string | undefined;
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
    const { draws = 100, seed = 0, batchSize = 500, onPart } = options;
    const others = surrogate === undefined ? {} : { surrogate };
    if (options.store !== undefined)
      bindStore(options.store, { work: "evaluation", opened, others, split, data, seed });
    const seeds = trialSeeds(seed, "evaluation");
    const trials = [clean, ...attacks.map((attack) => trialOf({ attack, on: attacked }))];
    const parts = { attacks, attacked, opened, surrogate, split, data, players, trials, seed, draws };
    const name = () => evaluationName(evaluationFacts(parts));
    const folder = options.folder === undefined ? undefined : join(options.folder, name());
    const store = folder === undefined ? options.store : new FolderStore(folder, { images: false });
    const given = { players, draws, seeds, batchSize, store, signal, onPart, notFinite: "fail" } as const;
    return yield* then({ ...parts, folder, given });
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
