import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { writeFileAtomic } from "../engine/atomic-file.js";
import { FileFormatError } from "../engine/index.js";
import { configHash, runName, type TrainConfig, trainConfig } from "./config.js";
import type { TrainEvent, TrainResult } from "./events.js";

/** The files of a run: config.json, events.jsonl, checkpoint.safetensors, and when finished weights and result.json. */
export class RunFolder {
  readonly path: string;
  readonly config: TrainConfig;

  private constructor(path: string, config: TrainConfig) {
    this.path = path;
    this.config = config;
  }

  /** The folder of a configuration under `runs`, made if it is not there. */
  static for(config: TrainConfig, runs: string): RunFolder {
    const path = resolve(runs, runName(config));
    mkdirSync(path, { recursive: true });
    const folder = new RunFolder(path, config);
    if (!existsSync(folder.file("config.json"))) {
      writeFileAtomic(folder.file("config.json"), `${JSON.stringify(config, null, 2)}\n`);
    }
    return folder;
  }

  /** An existing run folder; throws a FileFormatError when the folder holds no run. */
  static open(path: string): RunFolder {
    const file = join(path, "config.json");
    if (!existsSync(file)) throw new FileFormatError(`${path} is not a run folder: it has no config.json`);
    try {
      return new RunFolder(resolve(path), trainConfig(JSON.parse(readFileSync(file, "utf8"))));
    } catch (error) {
      throw new FileFormatError(`${file}: ${(error as Error).message}`);
    }
  }

  file(name: string): string {
    return join(this.path, name);
  }

  get identity(): string {
    return configHash(this.config);
  }

  get checkpoint(): string {
    return this.file("checkpoint.safetensors");
  }

  get weights(): string {
    return this.file("weights.safetensors");
  }

  /** The result of a finished run; undefined while it is not finished. */
  get result(): TrainResult | undefined {
    if (!existsSync(this.file("result.json")) || !existsSync(this.weights)) return undefined;
    return JSON.parse(readFileSync(this.file("result.json"), "utf8")) as TrainResult;
  }

  /** The logged events up to a step: what a killed run wrote after its checkpoint is not part of it. */
  events(upToStep = Number.POSITIVE_INFINITY): TrainEvent[] {
    if (!existsSync(this.file("events.jsonl"))) return [];
    const events: TrainEvent[] = [];
    for (const line of readFileSync(this.file("events.jsonl"), "utf8").split("\n")) {
      try {
        const event = JSON.parse(line) as TrainEvent;
        if ("step" in event && event.step <= upToStep) events.push(event);
      } catch {
        // The last line of a killed run can be cut short.
      }
    }
    return events;
  }

  /** Takes back the events that a killed run wrote after its checkpoint. */
  rewindEvents(step: number): TrainEvent[] {
    const events = this.events(step);
    writeFileAtomic(this.file("events.jsonl"), events.map((event) => `${JSON.stringify(event)}\n`).join(""));
    return events;
  }

  log(event: TrainEvent): void {
    appendFileSync(this.file("events.jsonl"), `${JSON.stringify(event)}\n`);
  }

  finish(result: TrainResult): void {
    writeFileAtomic(this.file("result.json"), `${JSON.stringify(result, null, 2)}\n`);
  }
}
