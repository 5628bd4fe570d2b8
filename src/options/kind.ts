import type * as z from "zod";
import { checkKind, isObject, shownGiven, unknownName } from "../base/index.js";
import { type Call, formatCall, isCall, isName, parseCall } from "./call.js";
import { callingSha256, codeOf, joinedCode } from "./code.js";
import { changedOptions, checkedSchema, parseOptions, readOption } from "./schema.js";
import { type Combinator, type Definition, type Factory, isValue, type Value } from "./value.js";
import { gathered, written } from "./written.js";

/** Parts of a definition. */
export interface Parts<T, V extends Value, Schema extends z.ZodObject> {
  readonly summary: string;
  readonly options: Schema;
  readonly takes?: string | undefined;
  /** Option that holds a record; text names its entries like options: `sqa(relu1=1)`. */
  readonly spread?: string | undefined;
  /** Makes the thing itself; `again` makes it anew with other options or values inside. */
  create(
    options: z.output<Schema>,
    inside: readonly V[],
    again: (options: unknown, inside?: readonly V[]) => V,
  ): T;
}

/** Function with properties and a name. */
function withName<F extends object, P extends object>(
  f: F,
  name: string,
  properties: P,
): F & P & { name: string } {
  return Object.assign(Object.defineProperty(f, "name", { value: name, enumerable: true }), properties) as F &
    P & { name: string };
}

/** Things of one kind by name: those of the package, and those that are registered from outside. */
export class Kind<T extends object, V extends T & Value = T & Value> {
  readonly #definitions = new Map<string, Definition<V>>();
  /** `make` of the package's own definitions. */
  readonly #packaged = new WeakSet<object>();

  /**
   * `name` says what the things are in messages, and `example` how one is written. `check` throws for what
   * `create` of a definition made, which `what` names, such as "guard mine".
   */
  constructor(
    readonly name: string,
    readonly example: string,
    readonly check: (what: string, thing: T) => void = () => {},
  ) {}

  /** Defines a thing of the kind; `register` makes it known by its name. */
  define<const Name extends string, Schema extends z.ZodObject>(
    name: Name,
    parts: Parts<T, V, Schema>,
  ): Factory<V, Name, Schema> {
    const definition = this.#definition(name, parts);
    return withName((options: unknown = {}) => definition.make(options), name, definition) as never;
  }

  /** Defines a thing that is made of others of the kind. */
  defineCombinator<const Name extends string, Schema extends z.ZodObject>(
    name: Name,
    parts: Parts<T, V, Schema> & { readonly takes: string },
  ): Combinator<V, Name, Schema> {
    const definition = this.#definition(name, parts);
    const create = (inside: V | string | readonly (V | string)[], options: unknown = {}) =>
      definition.make(options, Array.isArray(inside) ? inside : [inside]);
    return withName(create, name, definition) as never;
  }

  /** Says what is defined, such as "guard mine". TypeError unless its definition is an object. */
  checkParts(name: string, parts: unknown): string {
    const what = `${this.name} ${name}`;
    checkKind(what, parts, "defined by an object of its parts", isObject(parts));
    return what;
  }

  #definition<Schema extends z.ZodObject>(
    name: string,
    parts: Parts<T, V, Schema>,
  ): Omit<Definition<V>, "name"> {
    if (!isName(name))
      throw new RangeError(`${article(this.name)} is named by letters, digits, _, . and -, not "${name}"`);
    const what = this.checkParts(name, parts);
    const { summary, takes, create } = parts;
    checkKind(`${what}: summary`, summary, "a line of text", typeof summary === "string");
    checkKind(`${what}: create`, create, "a function of the options", typeof create === "function");
    const schema = checkedSchema(what, parts.options);
    const spread = { spread: parts.spread, names: Object.keys(schema.shape) };
    const sha256 = callingSha256();
    const code = () => (this.#packaged.has(make) ? undefined : sha256);
    const make = (given: unknown, parts: readonly (V | string)[] = []): V => {
      const options = parseOptions(this.name, name, schema, gathered(what, given, spread));
      const inside = parts.map((part) => this.of(part as V, `${what}: the ${this.name} inside it`));
      if (takes === undefined && inside.length > 0) {
        throw new RangeError(`${what}: takes options such as a=1, given ${inside[0]!.name}()`);
      }
      const call = {
        name,
        options: written(changedOptions(schema, options), spread),
        ...(inside.length === 0 ? {} : { of: inside.map((value) => value.call) }),
      };
      return this.#stamp(create(options, inside, make), { name, options, inside, call }, code);
    };
    return { kind: this.name, summary, options: schema, takes, make };
  }

  #stamp(
    thing: T,
    { name, options, inside, call }: Pick<Value, "name" | "options" | "inside" | "call">,
    own: () => string | undefined,
  ): V {
    const isNew = (isObject(thing) || typeof thing === "function") && !isValue(thing);
    if (!isNew || thing instanceof Promise) {
      const given = thing instanceof Promise ? ", not a Promise" : "";
      throw new TypeError(
        `${this.name} ${name}: create must return an object or a function, a new one each time${given}`,
      );
    }
    this.check(`${this.name} ${name}`, thing);
    const text = () => formatCall(call.name, call.options, call.of);
    return Object.defineProperties(thing as unknown as V, {
      kind: { value: this.name, enumerable: true },
      name: { value: name, enumerable: true },
      options: { value: options, enumerable: true },
      inside: { value: inside, enumerable: true },
      call: { value: call, enumerable: true },
      code: { get: () => joinedCode([own(), codeOf(inside), codeOf(Object.values(options))]) },
      toString: { value: text },
      toJSON: { value: text },
    });
  }

  /**
   * Makes definitions known by their names, for `parse`, lists and the command line. Returns a function that
   * forgets them.
   *
   * @throws RangeError for a name that is taken, TypeError for what is no definition of the kind; then none
   *   is known
   * @example
   * attacks.register(defineAttack("mine", { ... }))
   */
  register(...definitions: readonly Definition<V>[]): () => void {
    const names = new Set(this.names);
    for (const definition of definitions) {
      const fits =
        (isObject(definition) || typeof definition === "function") && typeof definition.make === "function";
      if (!fits || definition.kind !== this.name) {
        const of = fits ? `the ${definition.kind} "${definition.name}"` : shownGiven(definition);
        throw new TypeError(
          `${this.name}s.register takes definitions of the kind "${this.name}", given ${of}`,
        );
      }
      if (names.has(definition.name)) {
        throw new RangeError(`${this.name} "${definition.name}" is registered already: choose another name`);
      }
      names.add(definition.name);
    }
    for (const definition of definitions) this.#definitions.set(definition.name, definition);
    return () => {
      for (const { name } of definitions) this.#definitions.delete(name);
    };
  }

  /**
   * Makes the package's own definitions known. The version of the package says their code, so that none of
   * their values has one.
   */
  include(...definitions: readonly Definition<V>[]): void {
    for (const { make } of definitions) this.#packaged.add(make);
    this.register(...definitions);
  }

  get names(): string[] {
    return [...this.#definitions.keys()];
  }

  get definitions(): Definition<V>[] {
    return [...this.#definitions.values()];
  }

  /** Tells whether a name is registered. */
  has(name: string): boolean {
    return this.#definitions.has(name);
  }

  /** Definition of a name; RangeError suggests the nearest. */
  definition(name: string): Definition<V> {
    const definition = this.#definitions.get(name);
    if (definition === undefined) throw unknownName(this.name, name, this.names);
    return definition;
  }

  /**
   * Value that text stands for, such as `pgd(epsilon=8/255)`, or a value's `call`. Options left out have
   * their defaults.
   * @throws RangeError for text that is no call, an unknown name (the nearest is suggested), or options
   *   that do not fit
   */
  parse(given: string | Call): V {
    if (typeof given !== "string" && !isCall(given)) {
      throw new TypeError(`${this.name} must be text such as "${this.example}", not ${shownGiven(given)}`);
    }
    const { name, options, of = [] } = typeof given === "string" ? parseCall(given) : given;
    return this.definition(name).make(
      options,
      of.map((inside) => this.parse(inside)),
    );
  }

  /** Tells whether something is a value of the kind. */
  is(given: unknown): given is V {
    return isValue(given) && given.kind === this.name;
  }

  /**
   * Value itself, or the one that a text or a call stands for. TypeError, which begins with `what`, for
   * anything else.
   */
  of(given: V | string | Call, what = this.name): V {
    if (this.is(given)) return given;
    const other = isValue(given) ? `the ${given.kind} ${given}` : undefined;
    if (other === undefined && (typeof given === "string" || isCall(given))) return this.parse(given);
    const shown = other ?? shownGiven(given);
    throw new TypeError(`${what} must be ${article(this.name)} such as "${this.example}", not ${shown}`);
  }

  /**
   * Schema of an option that takes a value of the kind or its text, and gives the value; also what `own`
   * recognizes, such as a model of a user's own, which `ownAccepted` names.
   */
  option(own?: (given: unknown) => boolean, ownAccepted = ""): z.ZodType<V, V | string> {
    const read = (given: V | string) => (own?.(given) === true ? (given as V) : this.of(given));
    return readOption(read).meta({
      accepted: `${article(this.name)} such as ${this.example}${ownAccepted}`,
      placeholder: this.name.split(" ").at(-1)!.toUpperCase(),
    });
  }
}

/** Name of a kind with its article. */
function article(name: string): string {
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
}
