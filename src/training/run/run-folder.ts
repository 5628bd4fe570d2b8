import { appendFileSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { checkKind, FileFormatError, isObject, makeFolder, writeFileAtomic } from "../../base/index.js";
import { configHash, runName, storedConfig, type TrainConfig } from "../config.js";
import type { TrainEvent, TrainResult } from "../events.js";
import { readEvents } from "./event-log.js";
import { RunLock } from "./run-lock.js";

/** What a run began with beside its configuration: its last bits, or all of it, depend on these. */
export interface RunEnvironment {
  readonly libtorch: string;
  readonly cpuCapability: string;
  /** The instruction set of our own kernels. A run of an earlier version does not tell it. */
  readonly kernels: string;
  /** A run of an earlier version does not tell it. */
  readonly device: string;
  readonly threads: number;
  /** SHA-256 of the training images and labels. */
  readonly data: string;
}

/** The files of a run: config.json, events.jsonl, checkpoint.safetensors, and when finished weights and result.json. */
export class RunFolder {
  readonly path: string;
  readonly config: TrainConfig;

  private constructor(path: string, config: TrainConfig) {
    this.path = path;
    this.config = config;
  }

  /**
   * The folder of a configuration under `runs`; it need not exist yet. One that an earlier version made for the same
   * configuration, under another hash, counts as well, but for SQA: it rounded by other draws before.
   */
  static for(config: TrainConfig, runs: string): RunFolder {
    const path = resolve(runs, runName(config));
    return new RunFolder(
      existsSync(path) || config.sqa !== null ? path : (earlierFolder(path, config) ?? path),
      config,
    );
  }

  /** An existing run folder; throws a FileFormatError when the folder holds no run. */
  static open(path: string): RunFolder {
    checkKind("path", path, "the path of a run folder", typeof path === "string");
    const file = join(path, "config.json");
    if (!existsSync(file)) throw new FileFormatError(`${path} is not a run folder: it has no config.json`);
    try {
      const stored = readJson(file);
      if (!isObject(stored) || Array.isArray(stored)) throw new FileFormatError(`${file}: not a configuration`);
      return new RunFolder(resolve(path), storedConfig(stored));
    } catch (error) {
      if (error instanceof FileFormatError) throw error;
      throw new FileFormatError(`${file}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Makes the folder with its config.json; throws a FileFormatError when it holds another configuration. */
  make(): void {
    try {
      makeFolder(this.path);
    } catch (cause) {
      throw new Error(`cannot make the run folder ${this.path}: ${(cause as Error).message}`, { cause });
    }
    const file = this.file("config.json");
    if (!existsSync(file)) {
      writeFileAtomic(file, `${JSON.stringify(this.config, null, 2)}\n`);
    } else if (configHash(RunFolder.open(this.path).config) !== configHash(this.config)) {
      throw new FileFormatError(`${file}: not the configuration that the folder is named after; ${remedy(this.path)}`);
    }
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** What the run's files are marked with: the hash that its folder was named after, also by an earlier version. */
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
    const file = this.file("result.json");
    if (!existsSync(file) || !existsSync(this.weights)) return undefined;
    const result = readJson(file);
    if (typeof result !== "object" || result === null || !("last" in result)) {
      throw new FileFormatError(`${file}: not the result of a run; ${remedy(this.path)}`);
    }
    return result as TrainResult;
  }

  /** What the run began with: stored at the first call, the stored one ever after. */
  environment(now: RunEnvironment): RunEnvironment {
    const file = this.file("environment.json");
    if (existsSync(file)) return { ...now, ...(readJson(file) as object) };
    writeFileAtomic(file, `${JSON.stringify(now, null, 2)}\n`);
    return now;
  }

  /** Keeps the run to this process until the lock is disposed; throws when another process works on it. */
  lock(): RunLock {
    return RunLock.take(this.file("lock"), `run ${this.path}`);
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
    const file = this.file("events.jsonl");
    try {
      appendFileSync(file, `${JSON.stringify(event)}\n`);
    } catch (cause) {
      throw new Error(`cannot write ${file}: ${(cause as Error).message}`, { cause });
    }
  }

  finish(result: TrainResult): void {
    writeFileAtomic(this.file("result.json"), `${JSON.stringify(result, null, 2)}\n`);
  }
}

const hashInName = /-([0-9a-f]{8})$/;

/** The folder beside `path` that holds the same configuration and differs from it in its hash alone. */
function earlierFolder(path: string, config: TrainConfig): string | undefined {
  const runs = resolve(path, "..");
  const [name, hash] = [basename(path).replace(hashInName, ""), configHash(config)];
  if (!existsSync(runs) || !statSync(runs).isDirectory()) return undefined;
  return readdirSync(runs)
    .filter((other) => other.replace(hashInName, "") === name)
    .map((other) => join(runs, other))
    .find((folder) => {
      try {
        return configHash(RunFolder.open(folder).config) === hash;
      } catch {
        // A damaged folder is found fault with when it is opened, not when another is looked for.
        return false;
      }
    });
}

function remedy(path: string): string {
  return `delete ${path} to begin the run again`;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new FileFormatError(`${file}: ${(cause as Error).message}`, { cause });
  }
}
