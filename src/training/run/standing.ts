import { countText, FileFormatError } from "../../base/index.js";
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
  /** Log of losses and learning rates, for curves; of the first rank alone. */
  readonly steps: StepLog | undefined;
  /** Validation images under attack, for people; the first rank alone has any. */
  readonly pictures: RunPictures;

  constructor(
    readonly session: TrainingSession,
    readonly folder: RunFolder,
  ) {
    const { stepsPerEpoch, totalSteps, ranks } = session;
    const { saved, logged } = ranks.fromFirst(() => restored(session, folder));
    copyState(session);
    this.progress = saved ?? { step: 0, epochLoss: 0, epochSeconds: 0, seconds: 0 };
    if (session.guardRules !== undefined) this.progress.guard ??= untroubled;
    const { step } = this.progress;
    this.steps = ranks.isFirst ? new StepLog(folder.file("steps.jsonl"), totalSteps) : undefined;
    this.steps?.rewind(step);
    this.pictures = new RunPictures(folder.file("images"), session.model);
    this.epochs = logged.filter((event): event is EpochEvent => event.type === "epoch");
    this.alarms = logged.filter((event): event is AlarmEvent => event.type === "alarm");
    const past = Math.floor(step / stepsPerEpoch);
    if (this.epochs.length !== past) {
      throw new FileFormatError(
        `${folder.file("events.jsonl")}: tells of ${countText(this.epochs.length, "epoch")}, but the ` +
          `checkpoint is past ${past}; delete ${folder.path} to begin the run again`,
      );
    }
  }

  /** Writes a checkpoint, which does not depend on the number of ranks. */
  save(): TrainEvent {
    const { session, folder, progress } = this;
    folder.syncEvents();
    saveCheckpoint(folder.checkpoint, session.state, progress, folder.identity);
    return { type: "checkpoint", step: progress.step, path: folder.checkpoint };
  }

  /** The epoch that the last step belongs to, from 1. */
  get epoch(): number {
    return Math.max(1, Math.ceil(this.progress.step / this.session.stepsPerEpoch));
  }

  logged<Event extends TrainEvent>(event: Event): Event {
    if (this.session.ranks.isFirst) this.folder.log(event);
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

/** Brings a run's checkpoint into a session, and its log back to where that stands. */
function restored(session: TrainingSession, folder: RunFolder) {
  const saved = loadCheckpoint(folder.checkpoint, session.state, folder.identity);
  if (saved === undefined && folder.config.initialWeights !== session.config.initialWeights)
    throw new Error(`${folder.checkpoint} was removed while the run was opened: start it again`);
  const step = saved?.step ?? 0;
  if (step > session.totalSteps)
    throw new FileFormatError(`${folder.checkpoint}: is at step ${step} of ${session.totalSteps}`);
  return { saved, logged: folder.rewindEvents(step) };
}

/** Brings the first rank's weights and what goes with them to all. */
function copyState({ state: { module, optimizer, copies }, ranks }: TrainingSession): void {
  const parts = [module.state(), optimizer.state, ...copies.values()];
  ranks.copyFirst(parts.flatMap((tensors) => [...tensors.values()]));
  optimizer.steps = ranks.fromFirst(() => optimizer.steps);
}
