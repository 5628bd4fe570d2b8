import * as z from "zod";
import { firstFault } from "../../base/index.js";
import type { BatchRecord } from "../batch-record.js";
import type { BatchPlan } from "./store.js";

const counts = z.array(z.int().min(0));
const votes = z.array(z.int().min(0).max(1));
const atLeastZero = z.number().min(0);
const player = z.union([
  z.literal("model"),
  z.templateLiteral(["surrogate:", z.string()]),
  z.templateLiteral(["transfer:", z.string()]),
  z.templateLiteral(["fixed-seed:", z.int()]),
]);

const schema = z.strictObject({
  id: z.string(),
  sha256: z.string(),
  count: z.int().min(1),
  even: counts,
  odd: counts,
  majority: votes,
  evenVote: votes,
  oddVote: votes,
  draws: z.int().min(1),
  lengths: z.array(atLeastZero),
  norm: z.enum(["linf", "l2", "l1"]),
  passes: z.strictObject({ forward: atLeastZero, backward: atLeastZero }),
  seconds: atLeastZero,
  stop: z.strictObject({ what: z.enum(["logits", "gradients"]), message: z.string(), player }).optional(),
});

const lists = ["even", "odd", "majority", "evenVote", "oddVote", "lengths"] as const;

/**
 * Record of a file, with its trial and checksum. Error that names the number which is not of the plan's
 * batch.
 */
export function keptBatch(json: unknown, plan: BatchPlan): BatchRecord & { id: string; sha256: string } {
  const { success, data, error } = schema.safeParse(json);
  if (!success) throw new Error(firstFault(error));
  for (const what of ["count", "draws"] as const) {
    if (data[what] !== plan[what]) throw new Error(`${what} must be ${plan[what]}, not ${data[what]}`);
  }
  for (const list of lists) {
    if (data[list].length !== data.count)
      throw new Error(`${list} must have ${data.count} values, not ${data[list].length}`);
  }
  const halves = [Math.ceil(data.draws / 2), Math.floor(data.draws / 2)] as const;
  for (const [i, half] of (["even", "odd"] as const).entries()) {
    const most = Math.max(...data[half]);
    if (most > halves[i]!)
      throw new Error(`${half} must hold at most ${halves[i]} correct answers an image, not ${most}`);
  }
  return data;
}
