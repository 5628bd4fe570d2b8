import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** First words of a child: the engine it runs on. */
export interface Ready {
  readonly ready: string;
  readonly capability: string;
}

export interface Timed {
  readonly seconds: number;
  /** Of all threads; undefined of processes that do not tell. */
  readonly processorSeconds?: number;
  readonly losses?: readonly number[];
}

/** A component of AutoAttack on a batch. */
export interface AttackedPart {
  readonly name: string;
  /** Images that it attacked, and those of them that it left. */
  readonly attacked: number;
  readonly left: number;
  /** Passes of single images. */
  readonly forward: number;
  readonly backward: number;
  readonly seconds: number;
  readonly processorSeconds: number;
}

/** Result of AutoAttack on a batch; see peers/autoattack.py. */
export interface Attacked {
  /** Images that are right as they are. */
  readonly clean: number;
  readonly parts: readonly AttackedPart[];
  /** The largest perturbation of a pixel. */
  readonly largest: number;
  readonly seconds: number;
}

/**
 * Has glibc keep freed memory, as our addon has it by itself. Without that a step takes a page fault for
 * every 4 KiB that it frees and takes again, and PyTorch's were 3 to 6 times slower: no fair peer.
 */
const keptMemory = {
  MALLOC_MMAP_THRESHOLD_: String(32 * 2 ** 20),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 30),
  MALLOC_TOP_PAD_: String(64 * 2 ** 20),
};

/** A process that answers a line of JSON to each line of JSON; see peers/main.py for what is asked. */
export class Child {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: AsyncIterator<string>;
  #said = "";

  constructor(command: readonly [string, ...string[]], task: object, threads: number) {
    const [program, ...words] = command;
    const count = String(threads);
    this.#process = spawn(program, [...words, JSON.stringify({ ...task, threads })], {
      stdio: ["pipe", "pipe", "pipe"],
      // Inductor's own compile processes would outlive the compiling, and take memory that nobody counts.
      env: {
        ...process.env,
        ...keptMemory,
        OMP_NUM_THREADS: count,
        TORCHINDUCTOR_COMPILE_THREADS: "1",
        PYTHONDONTWRITEBYTECODE: "1",
      },
    });
    this.#process.on("error", (error) => {
      this.#said = error.message;
    });
    // A child that is gone shows as the end of its lines.
    this.#process.stdin.on("error", () => {});
    this.#process.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#said = (this.#said + text).slice(-4000);
    });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** Description that the child gives of itself once it has begun. */
  ready(): Promise<Ready> {
    return this.#answer();
  }

  run(steps: number): Promise<Timed> {
    return this.#ask({ run: steps });
  }

  /** Attacks a batch; asked of peers/autoattack.py and autoattack/our-side.ts alone. */
  attack(batch: number): Promise<Attacked> {
    return this.#ask({ batch });
  }

  /** Writes what a pass computes to a file; asked of the sides of exported/ alone. */
  async write(file: string): Promise<void> {
    await this.#ask({ write: file });
  }

  /** The time of one product of two n x n matrices. */
  multiply(n: number, dtype: string): Promise<Timed> {
    return this.#ask({ multiply: n, dtype });
  }

  /** The most memory that the process ever had, in bytes. */
  peakMemory(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, "utf8");
    return 1024 * Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]);
  }

  /** The child ends with its input. */
  end(): void {
    this.#process.stdin.end();
  }

  async #ask<Answer>(command: object): Promise<Answer> {
    this.#process.stdin.write(`${JSON.stringify(command)}\n`);
    return await this.#answer();
  }

  async #answer<Answer>(): Promise<Answer> {
    const { value, done } = await this.#lines.next();
    if (done !== true) return JSON.parse(value) as Answer;
    const said = this.#said.trim().split("\n");
    const reason = said.filter((text) => text.includes("Error")).at(-1) ?? said.at(-1) ?? "";
    throw new Error(`the process ended${reason === "" ? "" : `: ${reason}`}`);
  }
}
