import { type Call, formatCall, type OptionValue } from "../../options/call.js";
import { changedOptions } from "../../options/schema.js";
import { attacks, combinators, parseAttack } from "../index.js";

function essentialCall({ name, options, of }: Call): Call {
  const { options: schema } = (combinators.get(name) ?? attacks.get(name))!;
  const changed = changedOptions(schema, options) as Record<string, OptionValue>;
  return { name, options: changed, ...(of === undefined ? {} : { of: of.map(essentialCall) }) };
}

/** An attack's text with those options alone that differ from the defaults: a new option leaves it as it is. */
export function essentialLabel(text: string): string {
  const { name, options, of } = essentialCall(parseAttack(text).call);
  return formatCall(name, options, of);
}
