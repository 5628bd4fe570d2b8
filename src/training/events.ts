/** Accuracy of the probe images under one attack, or of the clean ones. */
export interface Probe {
  readonly attack: string;
  readonly accuracy: number;
}

/** What a training run says while it goes. */
export type TrainEvent =
  | { type: "start"; run: string; epochs: number; stepsPerEpoch: number; step: number; parameters: number }
  | { type: "step"; epoch: number; step: number; loss: number; learningRate: number }
  | {
      type: "epoch";
      epoch: number;
      step: number;
      /** Mean training loss of the epoch. */
      loss: number;
      /** Accuracy on the clean probe images, and under each probe. */
      clean: number;
      probes: Probe[];
      /** Share of the clean probe images predicted as the commonest class. */
      commonestClass: number;
      /** Training time of the epoch, without probes, and seconds a step. */
      seconds: number;
      secondsPerStep: number;
    }
  | { type: "checkpoint"; step: number; path: string }
  /** A guard's check: the means of its signals, accuracies of held-out images under FGSM and PGD, and what it makes of them. */
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
  /** The network is again that of step `to`, and the method's step is `stepScale` times its own from now on. */
  | { type: "roll-back"; epoch: number; step: number; to: number; stepScale: number }
  | { type: "alarm"; kind: AlarmKind; epoch: number; step: number; message: string }
  /** Something that does not hinder the run, but that its user should know. */
  | { type: "warning"; message: string }
  | { type: "stopped"; run: string; step: number }
  | { type: "end"; run: string; weights: string; result: TrainResult };

export type GuardEvent = Extract<TrainEvent, { type: "guard" }>;
export type RollBackEvent = Extract<TrainEvent, { type: "roll-back" }>;
export type EpochEvent = Extract<TrainEvent, { type: "epoch" }>;
/** Raised once where a state begins, not at every epoch that it lasts. */
export type AlarmEvent = Extract<TrainEvent, { type: "alarm" }>;
export type AlarmKind = "catastrophic-overfitting" | "loss-not-finite" | "zero-gradient" | "constant-output";

/** What a finished run leaves in result.json. */
export interface TrainResult {
  readonly epochs: number;
  readonly steps: number;
  readonly last: EpochEvent;
  /** The epoch whose weights were saved, where they are not the last's by choice. */
  readonly best?: EpochEvent;
  readonly alarms: AlarmEvent[];
  /** Training time over all sittings, without probes. */
  readonly seconds: number;
  /** Whether the last sitting's steps were replayed as graphs; left out where they were not. */
  readonly replayed?: true;
  /** libtorch's version and the number of threads of the last sitting. */
  readonly libtorch: string;
  readonly threads: number;
}
