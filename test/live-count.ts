import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { liveTensors } from "../src/engine/index.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/**
 * The count of live tensors once those that earlier tests dropped are collected. What held a collected object
 * may go with the collection after it, so it is collected until the count stays.
 */
export function liveCount(): number {
  for (let last = Number.NaN; ; ) {
    collect();
    collect();
    const count = liveTensors().tensors;
    if (count === last) {
      return count;
    }
    last = count;
  }
}
