import { tensor as made, Tensor } from "../../src/engine/index.js";
import type { Chance } from "./amounts.js";

/** Numbers at which sizes turn over, or that are none. */
const odd = [
  ...[0, 1, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 31, -(2 ** 31)],
  ...[2 ** 32, 2 ** 40, -(2 ** 40), 2 ** 53, 2 ** 62, -(2 ** 63), 100, 1e-30, 1e38],
];

const types = [
  "float32",
  "float32",
  "float32",
  "int64",
  "int32",
  "uint8",
  "bool",
  "bfloat16",
  "float64",
] as const;

/** Values that are nothing an operator takes. */
const strange = (): unknown[] => [
  ...[null, undefined, {}, [], "x", "meta", true, 10n, Symbol("s"), () => 1, new Float32Array(3)],
  ...[{ handle: 1 }, { handle: {} }, new Proxy([1, 2], {}), [[1]], Array(5), new Array(100_000).fill(1)],
  {
    valueOf() {
      throw new Error("asked");
    },
  },
];

/** Random arguments; tensors are kept for a while, so that results become arguments. */
export class Arguments {
  readonly #pool: Tensor[] = [];

  constructor(readonly chance: Chance) {}

  /** Keeps a result of an operator as an argument of later ones. */
  keep(result: unknown): void {
    if (!(result instanceof Tensor) || result.disposed) return;
    if (result.size > 1e6) result.dispose();
    else this.#pool.push(result);
    if (this.#pool.length > 60) this.#pool.splice(this.chance.int(30), 1);
  }

  tensor(): Tensor {
    const { chance } = this;
    if (this.#pool.length > 20 && chance.share() < 0.7) return chance.pick(this.#pool);
    const fresh = this.#fresh();
    this.keep(fresh);
    return fresh;
  }

  /** A new tensor of any type and layout, with values that may be NaN; a few are disposed already. */
  #fresh(): Tensor {
    const { chance } = this;
    const shape = Array.from({ length: chance.int(5) }, () => chance.pick([0, 1, 1, 2, 3, 3, 4, 5, 8, 16]));
    const size = shape.reduce((product, side) => product * side, 1);
    const values = chance.pick([
      () => 4 * chance.share() - 2,
      () => chance.int(5),
      () => Number.NaN,
      () => -chance.int(4),
      () => chance.int(1e6),
    ]);
    let found = made(Float32Array.from({ length: size }, values), shape).to(chance.pick(types));
    const isFloat = found.dtype === "float32";
    if (shape.length >= 2 && chance.share() < 0.25) found = found.permute([...shape.keys()].reverse());
    if (chance.share() < 0.15) found = found.unsqueeze(0).expand([3, ...found.shape]);
    if (shape.length >= 1 && chance.share() < 0.15) found = found.slice(0, 0, undefined, 2);
    if (isFloat && chance.share() < 0.2 && !found.requiresGrad) found = found.detach().requireGrad();
    if (chance.share() < 0.03) found.dispose();
    return found;
  }

  number(): number {
    return this.chance.share() < 0.8 ? this.chance.pick([0, 1, 2, 3, 4, 5, -1, -2]) : this.chance.pick(odd);
  }

  /** Anything at all. */
  any(): unknown {
    const { chance } = this;
    const share = chance.share();
    if (share < 0.42) return this.tensor();
    if (share < 0.6) return this.number();
    if (share < 0.75) return Array.from({ length: chance.int(5) }, () => this.number());
    if (share < 0.82) return Array.from({ length: chance.int(4) }, () => this.tensor());
    if (share < 0.9) return chance.share() < 0.5;
    return chance.pick(strange());
  }

  /** A value for a parameter of an operator's schema, such as `int[2] stride=1`; seldom of another type. */
  of(parameter: string): unknown {
    const { chance } = this;
    if (chance.share() < 0.03) return this.any();
    const [type] = parameter.split(" ") as [string];
    if ((type.includes("?") || parameter.includes("=")) && chance.share() < 0.5) return undefined;
    const list = (item: () => unknown) => Array.from({ length: 1 + chance.int(4) }, item);
    if (/^Tensor.*\[\]/.test(type)) return list(() => this.tensor());
    if (type.startsWith("Tensor")) return this.tensor();
    if (/^(Sym)?[iI]nt.*\[/.test(type)) return list(() => this.number());
    if (/^((Sym)?[iI]nt|float|Scalar|number)/.test(type)) return this.number();
    if (type.startsWith("bool")) return chance.share() < 0.5;
    if (type.startsWith("str")) return chance.pick(["trunc", "floor", "gesvd", "x"]);
    if (type.startsWith("Device")) return chance.pick(["cpu", "cuda", "meta", "xx"]);
    return chance.int(20);
  }
}

/** Parameters of an operator's schema as libtorch prints it, commas in brackets kept together. */
export function parametersOf(schema: string): string[] {
  const inner = schema.slice(schema.indexOf("(") + 1, schema.lastIndexOf(") ->"));
  const found = [""];
  let depth = 0;
  for (const letter of inner) {
    if ("([".includes(letter)) depth++;
    if (")]".includes(letter)) depth--;
    if (letter === "," && depth === 0) found.push("");
    else found[found.length - 1] += letter;
  }
  return found.map((text) => text.trim()).filter((text) => text !== "" && text !== "*");
}
