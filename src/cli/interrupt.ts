import type { EventEmitter } from "node:events";
import { constants } from "node:os";
import { warn } from "./output.js";

/** A run that Ctrl-C can stop: `code` is the exit code of a stopped run, undefined while none was asked for. */
export interface Interruptible extends Disposable {
  readonly signal: AbortSignal;
  readonly code: number | undefined;
}

/** The first Ctrl-C (or SIGTERM) aborts the signal, so that work stops where it can go on later; the second ends at once. */
export function interruptible(
  source: EventEmitter = process,
  exit: (code: number) => void = process.exit,
): Interruptible {
  const controller = new AbortController();
  let code: number | undefined;
  const stop = (name: NodeJS.Signals) => {
    const stopCode = 128 + constants.signals[name];
    if (code !== undefined) return exit(stopCode);
    code = stopCode;
    warn("stopping; once more to end at once");
    controller.abort(new DOMException(`stopped by ${name}`, "AbortError"));
  };
  source.on("SIGINT", stop);
  source.on("SIGTERM", stop);
  return {
    signal: controller.signal,
    get code() {
      return code;
    },
    [Symbol.dispose]() {
      source.off("SIGINT", stop);
      source.off("SIGTERM", stop);
    },
  };
}
