import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import * as z from "zod";
import {
  FileFormatError,
  firstFault,
  makeFolder,
  messageOf,
  removeAbandoned,
  writeFileAtomic,
} from "../../base/index.js";
import { readSealed, writeSealed } from "../../files/index.js";
import type { Module } from "../../nn/index.js";
import { RunLock } from "../run/run-lock.js";
import { plain } from "../run/weights-file.js";
import type { PartResult } from "./events.js";

const resultSchema = z.strictObject({
  steps: z.int().min(1),
  loss: z.number(),
  measure: z.number(),
  seconds: z.number().min(0),
});

/** Files that a part is kept in while it is trained. */
const ownFiles = ["part.json", "checkpoint.safetensors", "weights.safetensors"];

/**
 * Folder of a part in training: `part.json` (what is trained), a checkpoint, and at the end its weights. Its
 * name ends with the hash of what decides the weights.
 */
export class PartFolder {
  readonly path: string;
  readonly identity: string;

  /** @param facts all that decides the weights */
  constructor(
    runs: string,
    name: string,
    private readonly facts: Readonly<Record<string, unknown>>,
  ) {
    this.identity = createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 8);
    this.path = resolve(runs, `${name}-${this.identity}`);
  }

  get checkpoint(): string {
    return join(this.path, "checkpoint.safetensors");
  }

  get weights(): string {
    return join(this.path, "weights.safetensors");
  }

  /** Result of a finished part; undefined before. FileFormatError for damaged weights, and the way on. */
  get result(): PartResult | undefined {
    const { weights } = this;
    if (!existsSync(weights)) return undefined;
    try {
      const { metadata } = readSealed(weights);
      if (metadata.run === this.identity) return resultSchema.parse(JSON.parse(metadata.result ?? "{}"));
    } catch (cause) {
      const message = cause instanceof z.ZodError ? firstFault(cause) : messageOf(cause);
      const problem = message.replace(`${weights}: `, "");
      throw new FileFormatError(`${weights}: ${problem}; delete it to train the part again`, { cause });
    }
    throw new FileFormatError(
      `${weights}: not the weights of this folder's training; delete it to train the part again`,
    );
  }

  /** Makes the folder, and keeps it to this process until what is returned is disposed. */
  open(): Disposable {
    makeFolder(this.path, "folder of a defense's part");
    // The same text whoever writes it: its name says so.
    writeFileAtomic(join(this.path, "part.json"), `${JSON.stringify(this.facts, null, 2)}\n`);
    const lock = RunLock.take(join(this.path, "lock"), `folder ${this.path}`);
    // Whoever has the lock writes these files, and no one else.
    removeAbandoned(this.path, (name) => ownFiles.includes(name));
    return lock;
  }

  /** Keeps the trained weights, after which the second last checkpoint is of no use. */
  finish(module: Module, notes: Readonly<Record<string, string>>, result: PartResult): void {
    const tensors = [...module.state()].map(([name, value]) => [name, plain(value)] as const);
    writeSealed(this.weights, tensors, { ...notes, run: this.identity, result: JSON.stringify(result) });
    rmSync(join(this.path, "checkpoint.before.safetensors"), { force: true });
  }
}
