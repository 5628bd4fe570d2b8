import * as z from "zod";
import { define, Registry } from "../../options/named.js";
import { ratio } from "../../options/ratio.js";
import type { GuardRules } from "./guard.js";

/** A choice of guard: its rules, or undefined for none. */
export interface GuardChoice {
  readonly rules: GuardRules | undefined;
}

const none = define({
  name: "none",
  summary: "alarms after each epoch alone",
  options: z.strictObject({}),
  create: (): GuardChoice => ({ rules: undefined }),
});

const rollBack = define({
  name: "roll-back",
  summary: "on catastrophic overfitting, back to the last good network with a smaller step",
  options: z.strictObject({
    interval: z.int().min(1).default(200).describe("steps between two checks by an attack"),
    signalInterval: z.int().min(1).default(20).describe("steps between two measurements on the training batch"),
    images: z.int().min(1).default(256).describe("held-out training images that are attacked"),
    steps: z.int().min(1).default(10).describe("steps of the PGD attack of a check"),
    factor: ratio({ above: 0, below: 1 }).default(0.5).describe("what a roll-back multiplies the method's step by"),
    limit: z.int().min(0).default(5).describe("roll-backs that a run may make"),
  }),
  create: (rules): GuardChoice => ({ rules }),
});

/** Every guard against catastrophic overfitting: `guards.parse("roll-back(interval=100)")`. */
export const guards = new Registry<GuardChoice>("guard", [none, rollBack]);
