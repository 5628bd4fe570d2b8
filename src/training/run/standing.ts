import { FileFormatError } from "../../base/index.js";
import type { AlarmEvent, AlarmKind, EpochEvent, TrainEvent } from "../events.js";
import { untroubled } from "../overfitting/guard-state.js";
import type { TrainingSession } from "../session.js";
import { loadCheckpoint, type Progress, saveCheckpoint } from "./checkpoint.js";
import type { RunFolder } from "./run-folder.js";
import { RunPictures } from "./run-pictures.js";
import { StepLog } from "./step-log.js";

/** Progress of a run, restored from its folder, with its epochs and alarms so far. */
export class Standing {
  readonly progress: Progress;
  readonly epochs: EpochEvent[];
  readonly alarms: AlarmEvent[];
  /** Log of losses and learning rates, for curves. */
  readonly steps: StepLog;
  /** Validation images under attack, for people. */
  readonly pictures: RunPictures;

  constructor(
    readonly session: TrainingSession,
    readonly folder: RunFolder,
  ) {
    const { stepsPerEpoch, totalSteps } = session;
    const saved = loadCheckpoint(folder.checkpoint, session.state, folder.identity);
    this.progress = saved ?? { step: 0, epochLoss: 0, epochSeconds: 0, seconds: 0 };
    if (session.guardRules !== undefined) this.progress.guard ??= untroubled;
    const { step } = this.progress;
    if (step > totalSteps)
      throw new FileFormatError(`${folder.checkpoint}: is at step ${step} of ${totalSteps}`);
    const logged = folder.rewindEvents(step);
    this.steps = new StepLog(folder.file("steps.jsonl"), totalSteps);
    this.steps.rewind(step);
    this.pictures = new RunPictures(folder.file("images"), session.model);
    this.epochs = logged.filter((event): event is EpochEvent => event.type === "epoch");
    this.alarms = logged.filter((event): event is AlarmEvent => event.type === "alarm");
    const past = Math.floor(step / stepsPerEpoch);
    if (this.epochs.length !== past) {
      throw new FileFormatError(
        `${folder.file("events.jsonl")}: tells of ${this.epochs.length} epochs, but the checkpoint is past ` +
          `${past}; ` +
          `delete ${folder.path} to begin the run again`,
      );
    }
  }

  save(): TrainEvent {
    const { session, folder, progress } = this;
    saveCheckpoint(folder.checkpoint, session.state, progress, folder.identity);
    return { type: "checkpoint", step: progress.step, path: folder.checkpoint };
  }

  /** The epoch that the last step belongs to, from 1. */
  get epoch(): number {
    return Math.max(1, Math.ceil(this.progress.step / this.session.stepsPerEpoch));
  }

  logged<Event extends TrainEvent>(event: Event): Event {
    this.folder.log(event);
    return event;
  }

  raise(kind: AlarmKind, step: number, message: string): AlarmEvent {
    const epoch = Math.ceil(step / this.session.stepsPerEpoch);
    const alarm: AlarmEvent = { type: "alarm", kind, epoch, step, message };
    this.alarms.push(alarm);
    return this.logged(alarm);
  }

  /** The alarm of a run that cannot go on, then its end. */
  *fail(step: number, what: string): Generator<TrainEvent, never> {
    yield this.raise("loss-not-finite", step, `${what} after step ${step}: lower the learning rate`);
    throw new Error(
      `training stopped: ${what} after step ${step}, and would be again: lower the learning rate ` +
        `(${this.folder.path} keeps the last checkpoint)`,
    );
  }
}
