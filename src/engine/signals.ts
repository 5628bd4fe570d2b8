import { constants } from "node:os";
import { native } from "./native.js";

/**
 * How often a signal that the process listens to has arrived since this was first asked, whether or not the event loop has told of
 * it: in the midst of synchronous work it cannot. Counting begins anew with a new first listener.
 */
export function signalsArrived(name: NodeJS.Signals): number {
  return native().signalsArrived(constants.signals[name]);
}
