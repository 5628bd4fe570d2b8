import type * as z from "zod";
import { unknownName } from "../base/index.js";
import { formatCall, type OptionValue, parseCall } from "./call.js";
import { changedOptions, parseOptions } from "./schema.js";

/** A thing made from options, such as a schedule: its own functions, and how it is written. */
export type Named<T> = T & {
  /** With every option, so that it stays the same thing when a default changes. */
  readonly label: string;
  /** With the options that are not the defaults, so that it stays the same text when an option is added. */
  readonly shortLabel: string;
};

/** A kind of thing that is written as a call, such as `one-cycle(peak=0.05)`. */
export interface Definition<T, Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly summary: string;
  readonly options: Schema;
  create(options: z.output<Schema>): T;
}

/** Types a definition's `create` by its schema. */
export function define<T, Schema extends z.ZodObject>(definition: Definition<T, Schema>): Definition<T> {
  return definition as unknown as Definition<T>;
}

/** The things of one kind by name. */
export class Registry<T extends object> {
  readonly #definitions: ReadonlyMap<string, Definition<T>>;

  constructor(
    readonly kind: string,
    definitions: readonly Definition<T>[],
  ) {
    this.#definitions = new Map(definitions.map((definition) => [definition.name, definition]));
  }

  get names(): string[] {
    return [...this.#definitions.keys()];
  }

  get definitions(): Definition<T>[] {
    return [...this.#definitions.values()];
  }

  /** Makes a thing from its text; throws a RangeError that names the nearest known name or option. */
  parse(text: string): Named<T> {
    const { name, options, of = [] } = parseCall(text);
    const definition = this.#definitions.get(name);
    if (definition === undefined) throw unknownName(this.kind, name, this.names);
    if (of.length > 0) throw new RangeError(`${this.kind} ${name}: takes options such as a=1, given ${of[0]!.name}()`);
    const checked = parseOptions(this.kind, name, definition.options, options);
    const label = formatCall(name, checked as Record<string, OptionValue>);
    const shortLabel = formatCall(name, changedOptions(definition.options, checked));
    return Object.assign(definition.create(checked), { label, shortLabel });
  }
}
