import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { setUp } from "../../scripts/setup/set-up.mjs";
import { findAddon } from "../../src/engine/index.js";

const checkout = fileURLToPath(new URL("../..", import.meta.url));

let compiled = false;

/** Program of bin/sqa.mjs, without its look at the setup: that is done once, below. */
const program = `import { runProcess } from ${JSON.stringify(resolve(checkout, "dist/cli/main.js"))};
process.argv.splice(1, 0, "sqa");
await runProcess();`;

/** Program, its first words and its environment that make `sqa`, with the addon that this process has. */
export function sqaCommand() {
  const SQA_ADDON = findAddon().path;
  const env = { ...process.env, SQA_ADDON, OMP_NUM_THREADS: "1" };
  if (!compiled) setUp({ env });
  compiled = true;
  const first = ["--input-type=module", "--eval", program, "--"];
  return { file: process.execPath, first, env, addon: SQA_ADDON };
}

/** `sqa` as a process of its own; what it writes is kept. */
export class SqaProcess {
  stdout = "";
  stderr = "";
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | NodeJS.Signals | null>;

  constructor(words: readonly string[], place: { readonly cwd?: string } = {}) {
    const { file, first, env } = sqaCommand();
    this.#child = spawn(file, [...first, ...words], {
      ...place,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout!.on("data", (text) => {
      this.stdout += text;
    });
    this.#child.stderr!.on("data", (text) => {
      this.stderr += text;
    });
    this.#ended = new Promise((done) => this.#child.on("close", (code, signal) => done(signal ?? code)));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Goes away as the reader of all that it writes. */
  closeOutput(): void {
    this.#child.stdout!.destroy();
    this.#child.stderr!.destroy();
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves with the exit code or the signal that ended the process. */
  ended(): Promise<number | NodeJS.Signals | null> {
    return this.#ended;
  }
}
