import { checkKind, isObject } from "./argument.js";

/**
 * Steps of long work: yields events, and returns the result, or undefined where it was stopped before its
 * end.
 */
export type Steps<Event, Result> = AsyncGenerator<Event, Result | undefined, void>;

/**
 * Long work that can be awaited for its result, or watched for its events. It begins when either is asked
 * for.
 *
 * Aborting the signal stops it where it can go on later; so does leaving the loop early. Awaiting work that
 * was stopped throws the signal's reason, an AbortError.
 *
 * @example
 * const result = await work;
 * for await (const event of work) console.log(event);
 *
 */
export class Work<Event, Result> implements PromiseLike<Result>, AsyncIterable<Event> {
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #steps: Steps<Event, Result>;
  readonly #result: Promise<Result>;
  #settle!: { resolve(result: Result): void; reject(error: unknown): void };
  #state: "waiting" | "watched" | "ended" = "waiting";

  /** `begin` makes the steps, which end soon after their signal is aborted. */
  constructor(begin: (signal: AbortSignal) => Steps<Event, Result>, signal?: AbortSignal) {
    checkKind("signal", signal, "an AbortSignal", signal === undefined || signal instanceof AbortSignal);
    this.#signal = signal === undefined ? this.#stop.signal : joined(signal, this.#stop.signal);
    this.#steps = begin(this.#signal);
    this.#result = new Promise<Result>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Who watches learns of an error by the loop, and need not await the result as well.
    this.#result.catch(() => {});
  }

  // biome-ignore lint/suspicious/noThenProperty: work is awaited for its result
  then<A = Result, B = never>(
    onResult?: ((result: Result) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    if (this.#state === "waiting") {
      this.#state = "watched";
      this.#drain();
    }
    return this.#result.then(onResult, onError);
  }

  [Symbol.asyncIterator](): AsyncIterator<Event, void> {
    if (this.#state !== "waiting")
      throw new TypeError("this work was awaited or watched already: call for it again");
    this.#state = "watched";
    return {
      next: async () => {
        const step = await this.#next();
        return step === undefined ? { done: true, value: undefined } : { done: false, value: step };
      },
      return: async () => {
        this.#stop.abort(new DOMException("its loop was left", "AbortError"));
        await this.#drain().catch(() => {});
        return { done: true, value: undefined };
      },
    };
  }

  /** Next event; undefined at the end, which settles the result. */
  async #next(): Promise<Event | undefined> {
    if (this.#state === "ended") return undefined;
    try {
      const step = await this.#steps.next();
      if (step.done !== true) return step.value;
      this.#state = "ended";
      if (step.value !== undefined) this.#settle.resolve(step.value);
      else this.#settle.reject(this.#signal.reason ?? new DOMException("the work was stopped", "AbortError"));
      return undefined;
    } catch (error) {
      this.#state = "ended";
      this.#settle.reject(error);
      throw error;
    }
  }

  async #drain(): Promise<void> {
    try {
      while ((await this.#next()) !== undefined);
    } catch {
      // The result tells of it.
    }
  }
}

/**
 * Signal that either of two aborts. Its `throwIfAborted` asks the first one's own, which may know more than
 * has arrived.
 */
function joined(given: AbortSignal, stop: AbortSignal): AbortSignal {
  const signal = AbortSignal.any([given, stop]);
  signal.throwIfAborted = () => {
    given.throwIfAborted();
    AbortSignal.prototype.throwIfAborted.call(signal);
  };
  return signal;
}

/** Tells whether something is an error of work that was stopped. */
export function isAbort(error: unknown): boolean {
  return isObject(error) && error.name === "AbortError";
}
