import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { setUp } from "../../../scripts/setup/set-up.mjs";
import { findAddon } from "../../../src/engine/index.js";
import { freePort } from "../../scale/free-port.js";

const checkout = fileURLToPath(new URL("../../..", import.meta.url));

/** Reason that nothing can be started by Open MPI here; undefined where it can. */
export const noMpi =
  spawnSync("mpirun", ["--version"]).stdout?.toString().includes("Open MPI") === true
    ? undefined
    : "skipped: no mpirun of Open MPI (on Debian: apt-get install openmpi-bin)";

/** Words before a program, for more ranks than processors and as any user. */
const mpiWords = ["--oversubscribe", "--bind-to", "none"];

let compiled = false;

/** Environment of a launcher: the addon of this process, and leave to run as root. */
function environment(): NodeJS.ProcessEnv {
  const root = { OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" };
  const env = { ...process.env, ...root, SQA_ADDON: findAddon().path, OMP_NUM_THREADS: "1" };
  if (!compiled) setUp({ env });
  compiled = true;
  return env;
}

/** Words of `sqa` in this checkout, whose setup is done here, once. */
export function sqaWords(words: readonly string[]): string[] {
  environment();
  const program = `import { runProcess } from ${JSON.stringify(resolve(checkout, "dist/cli/main.js"))};
process.argv.splice(1, 0, "sqa");
await runProcess();`;
  return [process.execPath, "--input-type=module", "--eval", program, "--", ...words];
}

/** Words of a TypeScript program of the tests. */
export function testProgram(file: string, words: readonly string[]): string[] {
  return [process.execPath, "--import", "tsx", fileURLToPath(new URL(file, import.meta.url)), ...words];
}

/** A case that program.ts has trained. */
export interface Trained {
  readonly name: string;
  readonly losses: number[];
  readonly epochs: unknown[];
  readonly weights: string;
  readonly ranks: number;
}

/** Cases that program.ts tells of in what it wrote. */
export function trainedIn(output: string): Trained[] {
  const lines = output.split("\n").filter((line) => line.startsWith('{"name"'));
  return lines.map((line) => JSON.parse(line) as Trained);
}

/** Process that trains, or one that starts others to train, and all that they write. */
export class Launched {
  output = "";
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | NodeJS.Signals | null>;

  constructor(words: readonly string[], more: NodeJS.ProcessEnv = {}) {
    const [program, ...rest] = words;
    const env = { ...environment(), ...more };
    this.#child = spawn(program!, rest, { cwd: checkout, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on("data", (text) => {
        this.output += text;
      });
    }
    this.#ended = new Promise((done) => this.#child.on("close", (code, signal) => done(signal ?? code)));
  }

  /** `sqa` on a number of ranks. */
  static sqa(ranks: number, words: readonly string[], more: readonly string[] = []): Launched {
    return new Launched(["mpirun", ...mpiWords, ...more, "-n", String(ranks), ...sqaWords(words)]);
  }

  /** A program on a number of ranks as torchrun starts them, by variables alone. */
  static async byVariables(ranks: number, words: readonly string[]): Promise<Launched[]> {
    const place = { MASTER_ADDR: "127.0.0.1", MASTER_PORT: String(await freePort()) };
    const sizes = { WORLD_SIZE: String(ranks), LOCAL_WORLD_SIZE: String(ranks) };
    return Array.from({ length: ranks }, (_, rank) => {
      return new Launched(words, { ...place, ...sizes, RANK: String(rank), LOCAL_RANK: String(rank) });
    });
  }

  static program(ranks: number, file: string, words: readonly string[]): Launched {
    return new Launched(["mpirun", ...mpiWords, "-n", String(ranks), ...testProgram(file, words)]);
  }

  /** The ranks' processes on this machine. */
  ranks(): number[] {
    const found = spawnSync("pgrep", ["-P", String(this.#child.pid)]).stdout.toString();
    return found.trim().split("\n").filter(Boolean).map(Number);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves with the exit code or the signal that ended mpirun. */
  ended(): Promise<number | NodeJS.Signals | null> {
    return this.#ended;
  }
}
