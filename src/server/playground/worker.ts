import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { PlayRequest } from "../api.js";
import type { PlaySource } from "./opened-model.js";

/** Question to the playground's process. */
export type WorkerQuestion =
  | { readonly ask: "attacks" }
  | { readonly ask: "model"; readonly source: PlaySource }
  | { readonly ask: "play"; readonly source: PlaySource; readonly request: PlayRequest };

/** Its answer, or what was wrong with the question. */
export type WorkerAnswer = { readonly result: unknown } | { readonly error: string };

/** Milliseconds after which a process without questions ends, and after which a question has no answer. */
const limits = { idle: 60_000, answer: 120_000 };

/** Questions that wait at most. */
const mostWaiting = 8;

/** Starts the process of the neighboring file. */
function begun(): ChildProcess {
  // Where this file is not compiled, as in tests, its neighbor is not either, and needs a loader.
  const source = import.meta.url.endsWith(".ts");
  const file = source ? "worker-process.ts" : "worker-process.js";
  const execArgv = source ? ["--import", "tsx"] : [];
  return fork(fileURLToPath(new URL(file, import.meta.url)), { execArgv, detached: true });
}

/** Process that computes for the playground: started at the first question, ended when none come. */
export class PlaygroundWorker implements Disposable {
  #child: ChildProcess | undefined;
  #idle: NodeJS.Timeout | undefined;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @param begin starts the process */
  constructor(
    readonly times = limits,
    readonly begin: () => ChildProcess = begun,
  ) {}

  /** True while there is a process. */
  get running(): boolean {
    return this.#child !== undefined;
  }

  /** Answers a question, those before it first. An Error says what was wrong, or that it took too long. */
  ask(question: WorkerQuestion): Promise<unknown> {
    if (this.#waiting >= mostWaiting)
      return Promise.reject(new Error("too many questions wait for an answer"));
    this.#waiting++;
    const answer = this.#last.then(() => this.#askNow(question));
    this.#last = answer
      .catch(() => {})
      .then(() => {
        this.#waiting--;
      });
    return answer;
  }

  #askNow(question: WorkerQuestion): Promise<unknown> {
    clearTimeout(this.#idle);
    const child = this.#child ?? this.#start();
    return new Promise<unknown>((done, fail) => {
      const late = setTimeout(() => {
        settle();
        this.#end(child);
        fail(new Error(`no answer within ${this.times.answer / 1000} s: take fewer steps`));
      }, this.times.answer);
      const onMessage = (answer: WorkerAnswer) => {
        settle();
        if ("error" in answer) fail(new Error(answer.error));
        else done(answer.result);
      };
      const onClose = () => {
        settle();
        fail(new Error("the process that computes has ended"));
      };
      const settle = () => {
        clearTimeout(late);
        child.off("message", onMessage).off("close", onClose);
        clearTimeout(this.#idle);
        this.#idle = setTimeout(() => this.#end(child), this.times.idle).unref();
      };
      child.on("message", onMessage).on("close", onClose);
      child.send(question);
    });
  }

  #start(): ChildProcess {
    const child = this.begin();
    this.#child = child;
    child.on("error", () => {});
    child.on("close", () => {
      if (this.#child === child) this.#child = undefined;
    });
    return child;
  }

  #end(child: ChildProcess | undefined): void {
    child?.kill("SIGKILL");
    if (this.#child === child) this.#child = undefined;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#idle);
    this.#end(this.#child);
  }
}
