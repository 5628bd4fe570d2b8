import type { EventEmitter } from "node:events";
import { constants } from "node:os";
import { signalsArrived } from "../../engine/index.js";
import { warn } from "./output.js";

/**
 * A run that Ctrl-C can stop: `code` is the exit code of a stopped run, undefined while none was asked for.
 */
export interface Interruptible extends Disposable {
  /**
   * Its `throwIfAborted` also knows of a Ctrl-C that came in the midst of synchronous work, which `aborted`
   * does only after.
   */
  readonly signal: AbortSignal;
  readonly code: number | undefined;
}

const names = ["SIGINT", "SIGTERM"] as const;
type Name = (typeof names)[number];

/**
 * The first Ctrl-C (or SIGTERM) aborts the signal, so that work stops where it can go on later; the second
 * ends at once.
 */
export function interruptible(
  source: EventEmitter = process,
  exit: (code: number) => void = process.exit,
  arrived: (name: Name) => number = signalsArrived,
): Interruptible {
  const controller = new AbortController();
  let code: number | undefined;
  const stop = (name: Name) => {
    const stopCode = 128 + constants.signals[name];
    if (code !== undefined) return exit(stopCode);
    code = stopCode;
    warn("stopping; once more to end at once");
    controller.abort(new DOMException(`stopped by ${name}`, "AbortError"));
  };
  // Of each signal how many were heeded, and how many of them before the event loop told of them, as it will.
  const heeded = { SIGINT: 0, SIGTERM: 0 };
  const ahead = { SIGINT: 0, SIGTERM: 0 };
  const onSignal = (name: Name) => {
    if (ahead[name] > 0) {
      ahead[name]--;
      return;
    }
    heeded[name]++;
    stop(name);
  };
  for (const name of names) source.on(name, onSignal);
  const { signal } = controller;
  signal.throwIfAborted = () => {
    for (const name of names) {
      for (const found = arrived(name); heeded[name] < found; heeded[name]++) {
        ahead[name]++;
        stop(name);
      }
    }
    AbortSignal.prototype.throwIfAborted.call(signal);
  };
  return {
    signal,
    get code() {
      return code;
    },
    [Symbol.dispose]() {
      for (const name of names) source.off(name, onSignal);
    },
  };
}
