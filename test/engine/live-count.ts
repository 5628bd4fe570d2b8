import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { liveTensors } from "../../src/engine/index.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** The count of live tensors once those that earlier tests dropped are collected. */
export function liveCount(): number {
  collect();
  return liveTensors().tensors;
}
