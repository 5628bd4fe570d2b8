import { constants } from "node:os";
import { native } from "./native.js";

/**
 * Signals that ask a process to stop: Ctrl-C, the system's request, Ctrl-\, a terminal that closes, and the
 * warning that batch systems send before the time is up.
 */
export const stopSignals = ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP", "SIGUSR1"] as const;

/** Their names need no types of Node's, which a user's project may lack. */
export type StopSignal = (typeof stopSignals)[number];

/**
 * Number of times that a signal, which the process listens to, has arrived since this was first asked. It
 * counts in the midst of synchronous work as well, when the event loop cannot tell. Counting begins anew with
 * a new first listener.
 */
export function signalsArrived(name: StopSignal): number {
  return native().signalsArrived(constants.signals[name]);
}

/**
 * Lets a signal to the process abort the controller; its `throwIfAborted` knows of it in the midst of
 * synchronous work as well.
 */
export function abortOn(name: StopSignal, controller: AbortController): void {
  const { signal } = controller;
  process.on(name, () => controller.abort());
  // Counting begins at the first call.
  signalsArrived(name);
  signal.throwIfAborted = () => {
    if (signalsArrived(name) > 0) controller.abort();
    AbortSignal.prototype.throwIfAborted.call(signal);
  };
}
