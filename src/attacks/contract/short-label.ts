import { type Call, formatCall, parseCall } from "../../options/call.js";

/** An attack's name and radius, and those of the attacks inside it, for a line that its other options would fill. */
export function shortLabel(label: string): string {
  const short = ({ name, options, of }: Call): Call => ({
    name,
    options: options.epsilon === undefined ? {} : { epsilon: options.epsilon },
    ...(of === undefined ? {} : { of: of.map(short) }),
  });
  const { name, options, of } = short(parseCall(label));
  return formatCall(name, options, of);
}
