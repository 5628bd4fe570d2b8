import { constants } from "node:os";
import { native } from "./native.js";

/**
 * How often a signal that the process listens to has arrived since this was first asked, whether or not the event loop has told of
 * it: in the midst of synchronous work it cannot. Counting begins anew with a new first listener.
 */
export function signalsArrived(name: NodeJS.Signals): number {
  return native().signalsArrived(constants.signals[name]);
}

/** Lets a signal to the process abort the controller; its `throwIfAborted` knows of it in the midst of synchronous work as well. */
export function abortOn(name: NodeJS.Signals, controller: AbortController): void {
  const { signal } = controller;
  process.on(name, () => controller.abort());
  // Counting begins at the first call.
  signalsArrived(name);
  signal.throwIfAborted = () => {
    if (signalsArrived(name) > 0) controller.abort();
    AbortSignal.prototype.throwIfAborted.call(signal);
  };
}
