/** Accuracy of the validation images under an attack. */
export interface AttackedAccuracy {
  readonly attack: string;
  readonly accuracy: number;
}

/** Event of a training run. */
export type TrainEvent =
  | {
      type: "start";
      run: string;
      epochs: number;
      stepsPerEpoch: number;
      step: number;
      parameters: number;
      /** Images that validation takes, and those held out of training: where none are, training images. */
      validationImages: number;
      heldOut: number;
    }
  | { type: "step"; epoch: number; step: number; loss: number; learningRate: number }
  | {
      type: "epoch";
      epoch: number;
      step: number;
      /** Mean training loss of the epoch. */
      loss: number;
      /** Accuracy on the clean validation images, and under each validation attack. */
      clean: number;
      validation: AttackedAccuracy[];
      /** Share of the clean validation images that are predicted as the commonest class. */
      commonestClass: number;
      /** Training time of the epoch, without validation, and seconds a step. */
      seconds: number;
      secondsPerStep: number;
    }
  | { type: "checkpoint"; step: number; path: string }
  /**
   * A guard's check: the means of its signals, accuracies of held-out images under FGSM and PGD, and what it
   * makes of them.
   */
  | {
      type: "guard";
      epoch: number;
      step: number;
      alignment: number;
      lossFell: number;
      clean: number;
      fgsm: number;
      pgd: number;
      verdict: "good" | "doubtful" | "overfitted";
    }
  /**
   * The network is again that of step `to`, and the method's step is `stepScale` times its own from now on.
   */
  | { type: "roll-back"; epoch: number; step: number; to: number; stepScale: number }
  | { type: "alarm"; kind: AlarmKind; epoch: number; step: number; message: string }
  /** Remark that does not hinder the run. */
  | { type: "warning"; message: string }
  | { type: "stopped"; run: string; step: number }
  | { type: "end"; run: string; weights: string; result: TrainResult };

export type GuardEvent = Extract<TrainEvent, { type: "guard" }>;
export type RollBackEvent = Extract<TrainEvent, { type: "roll-back" }>;
export type EpochEvent = Extract<TrainEvent, { type: "epoch" }>;
/** Raised once where a state begins, not at every epoch that it lasts. */
export type AlarmEvent = Extract<TrainEvent, { type: "alarm" }>;
export type AlarmKind = "catastrophic-overfitting" | "loss-not-finite" | "zero-gradient" | "constant-output";

/** Result of a finished run, as result.json holds it. */
export interface TrainResult {
  readonly epochs: number;
  readonly steps: number;
  readonly last: EpochEvent;
  /** Epoch whose weights were saved, where they are not the last's by choice. */
  readonly best?: EpochEvent;
  readonly alarms: AlarmEvent[];
  /** Kinds of those alarms of epochs whose state still stands at the end; unknown where left out. */
  readonly standing?: AlarmKind[] | undefined;
  /** Training time over all sittings, without validation. */
  readonly seconds: number;
  /** Present where the last sitting's steps were replayed as graphs. */
  readonly replayed?: true;
  /** libtorch's version and the number of threads of the last sitting. */
  readonly libtorch: string;
  readonly threads: number;
  /** Present where several ranks trained in the last sitting: their number. */
  readonly ranks?: number;
  /** SHA-256 that weights.safetensors carries of its content. */
  readonly weightsSha256: string;
}
