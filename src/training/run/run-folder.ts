import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, join, resolve } from "node:path";
import {
  checkKind,
  FileFormatError,
  isObject,
  MissingFileError,
  makeFolder,
  readJsonFile,
  removeAbandoned,
  writeFileAtomic,
} from "../../base/index.js";
import { readSealed } from "../../files/index.js";
import { configHash, runName, type TrainConfig } from "../config.js";
import type { TrainEvent, TrainResult } from "../events.js";
import { readEvents } from "./event-log.js";
import { readResult } from "./result-file.js";
import { RunLock } from "./run-lock.js";
import { configOf, type OwnParts, storedForm } from "./stored-config.js";

/** Environment that a run begins in: its last bits, or all of it, depend on these. */
export interface RunEnvironment {
  readonly libtorch: string;
  readonly cpuCapability: string;
  /** Instruction set of our own kernels. */
  readonly kernels: string;
  readonly device: string;
  readonly threads: number;
  /** Processes that share each batch; 1 where left out. */
  readonly ranks?: number;
  /** SHA-256 of the training images and labels. */
  readonly data: string;
  /** SHA-256 of the models that the method takes images from; left out where there are none. */
  readonly sources?: string;
}

/**
 * Files of a run: config.json, events.jsonl, checkpoint.safetensors, and when finished weights and
 * result.json.
 */
export class RunFolder {
  readonly path: string;
  readonly #configOf: () => TrainConfig;
  #config: TrainConfig | undefined;

  private constructor(path: string, configOf: () => TrainConfig) {
    this.path = path;
    this.#configOf = configOf;
  }

  /** Folder of a configuration under `runs`; it need not exist yet. */
  static for(config: TrainConfig, runs: string): RunFolder {
    return new RunFolder(resolve(runs, runName(config)), () => config);
  }

  /**
   * Existing run folder.
   *
   * @param parts model and images of the user's own that the run was trained with
   * @throws FileFormatError when the folder holds no run
   */
  static open(path: string, parts: OwnParts = {}): RunFolder {
    checkKind("path", path, "the path of a run folder", typeof path === "string");
    if (!existsSync(path)) throw new MissingFileError(`run folder ${path} does not exist`);
    const file = join(path, "config.json");
    if (!existsSync(file))
      throw new FileFormatError(`${path} is not a run folder: it has no config.json${runsIn(path)}`);
    const stored = readJsonFile(file);
    if (!isObject(stored) || Array.isArray(stored)) throw new FileFormatError(`${file}: not a configuration`);
    return new RunFolder(resolve(path), () => {
      try {
        return configOf(stored, parts, `run ${path}`);
      } catch (error) {
        if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
        throw new FileFormatError(`${file}: ${error.message}`, { cause: error });
      }
    });
  }

  /** Its configuration. An Error says which part of the user's own must be given again. */
  get config(): TrainConfig {
    this.#config ??= this.#configOf();
    return this.#config;
  }

  /** Makes the folder with its config.json; throws a FileFormatError when it holds another configuration. */
  make(): void {
    makeFolder(this.path, "run folder");
    const file = this.file("config.json");
    if (!existsSync(file)) {
      writeFileAtomic(file, `${JSON.stringify(storedForm(this.config), null, 2)}\n`);
    } else if (configHash(RunFolder.open(this.path, this.config).config) !== configHash(this.config)) {
      throw new FileFormatError(
        `${file}: not the configuration that the folder is named after; ${remedy(this.path)}`,
      );
    }
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Mark of the run's files: the hash that its folder is named after. */
  get identity(): string {
    return hashInName.exec(basename(this.path))?.[1] ?? configHash(this.config);
  }

  get checkpoint(): string {
    return this.file("checkpoint.safetensors");
  }

  get weights(): string {
    return this.file("weights.safetensors");
  }

  /** The result of a finished run; undefined while it is not finished. */
  get result(): TrainResult | undefined {
    return readResult(this.file("result.json"));
  }

  /** Fault of a finished run's weights, in words: missing, damaged, or others than it ended with. */
  weightsFault({ weightsSha256 }: TrainResult): string | undefined {
    const { weights } = this;
    if (!existsSync(weights)) return `${weights} is missing, though the run is finished`;
    try {
      const { metadata } = readSealed(weights);
      if (metadata.sha256 === weightsSha256) return undefined;
      return `${weights}: not the weights that the run ended with, as its result.json says`;
    } catch (error) {
      if (error instanceof FileFormatError) return error.message;
      throw error;
    }
  }

  /** Throws a FileFormatError for weights with a fault, which says how they are made anew. */
  checkWeights(result: TrainResult): void {
    const fault = this.weightsFault(result);
    if (fault === undefined) return;
    const remedy = existsSync(this.checkpoint)
      ? `npx sqa train ${this.path} writes them anew from its checkpoint`
      : "its checkpoint is gone as well: delete the folder to train the run again";
    throw new FileFormatError(`${fault}; ${remedy}`);
  }

  /** Environment that the run began in: stored at the first call, the stored one ever after. */
  environment(now: RunEnvironment): RunEnvironment {
    const file = this.file("environment.json");
    if (existsSync(file)) return readJsonFile(file) as RunEnvironment;
    writeFileAtomic(file, `${JSON.stringify(now, null, 2)}\n`);
    return now;
  }

  /** Keeps the run to this process until the lock is disposed; throws when another process works on it. */
  lock(): RunLock {
    const lock = RunLock.take(this.file("lock"), `run ${this.path}`);
    // Whoever has the lock writes these files, and no one else.
    removeAbandoned(this.path, (name) => ownFiles.includes(name));
    return lock;
  }

  /** The logged events up to a step: what a killed run wrote after its checkpoint is not part of it. */
  events(upToStep = Number.POSITIVE_INFINITY): TrainEvent[] {
    return readEvents(this.file("events.jsonl")).filter((event) => event.step <= upToStep);
  }

  /** Takes back the events that a killed run wrote after its checkpoint. */
  rewindEvents(step: number): TrainEvent[] {
    const events = this.events(step);
    writeFileAtomic(this.file("events.jsonl"), events.map((event) => `${JSON.stringify(event)}\n`).join(""));
    return events;
  }

  log(event: TrainEvent): void {
    writing(this.file("events.jsonl"), (file) => appendFileSync(file, `${JSON.stringify(event)}\n`));
  }

  /** Puts the logged events on the disk: a checkpoint that counts on them must not outlive them. */
  syncEvents(): void {
    writing(this.file("events.jsonl"), (file) => {
      const descriptor = openSync(file, "a");
      try {
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    });
  }

  /** Keeps the result of the run, whose second last checkpoint is then of no use. */
  finish(result: TrainResult): void {
    writeFileAtomic(this.file("result.json"), `${JSON.stringify(result, null, 2)}\n`);
    rmSync(this.file("checkpoint.before.safetensors"), { force: true });
  }
}

/** Runs that a folder holds, as the end of an error's sentence. */
function runsIn(path: string): string {
  const names = statSync(path).isDirectory() ? readdirSync(path).sort() : [];
  const first = names.find((name) => existsSync(join(path, name, "config.json")));
  return first === undefined ? "" : `; it holds runs: give one of them, such as ${join(path, first)}`;
}

/** Files that a run is kept in while it is trained. */
const ownFiles = [
  ...["checkpoint.safetensors", "weights.safetensors"],
  ...["events.jsonl", "steps.jsonl", "environment.json", "result.json"],
];

/** Writes to a file; an Error names it. */
function writing(file: string, write: (file: string) => void): void {
  try {
    write(file);
  } catch (cause) {
    throw new Error(`cannot write ${file}: ${(cause as Error).message}`, { cause });
  }
}

const hashInName = /-([0-9a-f]{8})$/;

function remedy(path: string): string {
  return `delete ${path} to begin the run again`;
}
