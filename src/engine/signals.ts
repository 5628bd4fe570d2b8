import { constants } from "node:os";
import { native } from "./native.js";

/**
 * How often a signal that the process listens to has arrived since it was first asked for, whether or not the event loop has told
 * of it: in the midst of synchronous work it cannot.
 */
export function signalsArrived(name: NodeJS.Signals): number {
  const number = constants.signals[name];
  native().watchSignal(number);
  return native().signalsArrived(number);
}
