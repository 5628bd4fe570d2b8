import { formatRatio, type Value } from "../../options/index.js";
import type { Attack } from "../contract/attack.js";

/** Names of attacks as papers write them, where capitals do not give them. */
const names: Readonly<Record<string, string>> = {
  autoattack: "AutoAttack",
  "apgd-t": "APGD-T",
  boundary: "boundary",
  "cw-l2": "C&W",
  "cw-linf": "C&W, linf",
  deepfool: "DeepFool",
  "fab-t": "FAB-T",
  "hop-skip-jump": "HopSkipJump",
  noise: "noise",
  "rotation-translation": "rotations",
  square: "Square",
  unconstrained: "no bound",
};

/** Options that a label says in a way of its own. */
const said = ["epsilon", "steps", "norm", "stepSize", "stopWhenFooled"];

/** Options of an attack that differ from their defaults and have no place of their own. */
function extras({ call }: Value): string[] {
  return Object.entries(call.options)
    .filter(([name]) => !said.includes(name))
    .map(([name, value]) => extraText(name, value));
}

function extraText(name: string, value: unknown): string {
  if (value === true) return name;
  if (value === false) return `no ${name}`;
  return typeof value === "string" && name !== "labels" ? value : `${name} ${String(value)}`;
}

/** Labels of combinators, by the label of the attacks inside. */
const combined: Readonly<Record<string, (inside: string[], options: Value["options"]) => string>> = {
  backward: ([one], { through }) => `${one} through ${through}`,
  expectation: ([one], { draws, mean }) => `${one}, mean ${mean} of ${draws} draws`,
  "jacobian-scaling": ([one]) => `${one}, scaled by the Jacobian`,
  "minimal-epsilon": ([one]) => `least epsilon of ${one}`,
  restarts: ([one], { times }) => `${one}, ${times} restarts`,
  temperature: ([one], { value }) => `${one}, logits / ${value}`,
  within: ([one], { at }) => (at === "radius" ? `${one}, at the radius` : one!),
  "worst-case": (inside) => `worst of ${inside.join(" + ")}`,
};

/** Label without the radius. */
function plainLabel(attack: Value): string {
  const { name, options, inside } = attack;
  const within = inside.map(plainLabel);
  const known = combined[name];
  if (known !== undefined && within.length > 0) return known(within, options);
  const title = names[name] ?? (/^[a-z-]{2,8}$/.test(name) ? name.toUpperCase() : name);
  const steps = typeof options.steps === "number" ? `${title}-${options.steps}` : title;
  return [steps, ...within, ...extras(attack)].join(", ");
}

/**
 * Short name of an attack for tables and charts, such as "PGD-20, eps 0.3". The whole call is its identity.
 *
 * @param options `radius: false` leaves out the radius, where all of a table have the same
 * @example
 * attackLabel(pgd({ epsilon: 8 / 255 }))   // PGD-20, eps 8/255
 */
export function attackLabel(attack: Attack, { radius = true }: { readonly radius?: boolean } = {}): string {
  const { norm, radius: epsilon } = attack.traits;
  if (!radius || epsilon === undefined) return plainLabel(attack);
  return `${plainLabel(attack)}, ${norm === "linf" ? "" : `${norm} `}eps ${formatRatio(epsilon)}`;
}
