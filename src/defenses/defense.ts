import type * as z from "zod";
import { checkKind } from "../base/index.js";
import type { Defense, DefenseWork } from "../models/index.js";
import { type Factory, Kind } from "../options/index.js";

/** Every defense by its name: `defenses.parse("sqa(relu1=1, relu2=2)")`. */
export const defenses = new Kind<DefenseWork, Defense>("defense", "sqa", checkWork);

/**
 * Defines a defense; `defenses.register` makes it known by its name.
 *
 * @param definition `spread` names an option that holds a record: text then names its entries like options
 * @example
 * export const blur = defineDefense("blur", {
 *   summary: "blurs the images",
 *   options: z.strictObject({ radius: z.int().default(1) }),
 *   create: ({ radius }) => ({
 *     randomized: false,
 *     advice: "attack through the blur, which is differentiable",
 *     apply: (model) => model.module.inputTransforms.unshift(new Blur(radius)),
 *     surrogates: () => ({}),
 *   }),
 * });
 */
export function defineDefense<const Name extends string, Schema extends z.ZodObject>(
  name: Name,
  definition: {
    readonly summary: string;
    readonly options: Schema;
    readonly spread?: keyof z.output<Schema> & string;
    create(options: z.output<Schema>): DefenseWork;
  },
): Factory<Defense, Name, Schema> {
  return defenses.define(name, definition);
}

/** TypeError that names the part which `create` left out. */
function checkWork(what: string, work: DefenseWork): void {
  for (const part of ["apply", "surrogates"] as const) {
    checkKind(`${what}: ${part}`, work[part], "a function of the model", typeof work[part] === "function");
  }
  checkKind(`${what}: randomized`, work.randomized, "true or false", typeof work.randomized === "boolean");
}
