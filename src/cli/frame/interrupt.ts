import type { EventEmitter } from "node:events";
import { constants } from "node:os";
import { type StopSignal, signalsArrived, stopSignals } from "../../engine/index.js";
import { exitCode } from "./exit-code.js";
import { warn } from "./output.js";
import { showWaiting } from "./progress.js";

/**
 * A run that a signal can stop: `code` is the exit code of a stopped run, undefined while none was asked for.
 */
export interface Interruptible extends Disposable {
  /**
   * Its `throwIfAborted` also knows of a signal that came in the midst of synchronous work, which `aborted`
   * does only after, and lets what is shown say how long it has taken.
   */
  readonly signal: AbortSignal;
  readonly code: number | undefined;
  /** Stops the run for another reason than a signal, and has it end with a code. */
  stop(why: string, code: number): void;
}

/** A second one ends at once. A terminal that closes sends its own more than once, and means no hurry. */
const urgent: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGQUIT"];

const ofEach = (): Record<StopSignal, number> => ({
  SIGINT: 0,
  SIGTERM: 0,
  SIGQUIT: 0,
  SIGHUP: 0,
  SIGUSR1: 0,
});

/**
 * The first Ctrl-C, or another signal to stop, aborts the signal, so that work stops where it can go on
 * later. The second Ctrl-C, SIGTERM or SIGQUIT ends at once.
 */
export function interruptible(
  source: EventEmitter = process,
  exit: (code: number) => void = process.exit,
  arrived: (name: StopSignal) => number = signalsArrived,
): Interruptible {
  const controller = new AbortController();
  let code: number | undefined;
  let hurries = 0;
  const stop = (why: string, ownCode: number, remark = "stopping") => {
    if (code !== undefined) return;
    code = ownCode;
    warn(remark);
    controller.abort(new DOMException(`stopped by ${why}`, "AbortError"));
  };
  const onStop = (name: StopSignal) => {
    if (!urgent.includes(name)) return stop(name, exitCode.stopped);
    if (++hurries > 1) return exit(128 + constants.signals[name]);
    stop(name, exitCode.stopped, "stopping; once more to end at once");
  };
  // Of each signal how many were heeded, and how many of them before the event loop told of them, as it will.
  const heeded = ofEach();
  const ahead = ofEach();
  const onSignal = (name: StopSignal) => {
    if (ahead[name] > 0) {
      ahead[name]--;
      return;
    }
    heeded[name]++;
    onStop(name);
  };
  for (const name of stopSignals) source.on(name, onSignal);
  const { signal } = controller;
  signal.throwIfAborted = () => {
    showWaiting();
    for (const name of stopSignals) {
      for (const found = arrived(name); heeded[name] < found; heeded[name]++) {
        ahead[name]++;
        onStop(name);
      }
    }
    AbortSignal.prototype.throwIfAborted.call(signal);
  };
  return {
    signal,
    get code() {
      return code;
    },
    stop,
    [Symbol.dispose]() {
      for (const name of stopSignals) source.off(name, onSignal);
    },
  };
}
