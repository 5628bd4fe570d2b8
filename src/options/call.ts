import { isObject } from "../base/index.js";
import { formatRatio, parseRatio } from "./ratio.js";

/** A value of an option: everything JSON holds but null, and nested calls. */
export type OptionValue = number | boolean | string | readonly OptionValue[] | Call;

/**
 * A thing with options, as `pgd(epsilon=8/255, steps=7)` writes it. `of` holds the calls written without a
 * name.
 */
export interface Call {
  readonly name: string;
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly of?: readonly Call[];
}

const SPACE = /\s*/y;
const WORD = /[A-Za-z_][A-Za-z0-9_.-]*/y;
/** Value with a slash, which needs no quotes: `folder=data/mnist`, `folder=../photos`. */
const PATH = /[A-Za-z0-9_.~@+-]*(?:\/[A-Za-z0-9_.~@+-]*)+/y;
const NUMBER = /[+-]?(?:\d|\.\d)[^\s,()[\]]*/y;
const QUOTED = /"(?:[^"\\]|\\.)*"/y;
const MAX_DEPTH = 32;
const textHint = ' (text with spaces or other signs goes in "quotes")';
const nameNotPath = "a name, not a path (--import FILE loads a file that registers a name),";

/**
 * Reads one call: `fgsm`, `pgd(epsilon=8/255, steps=7, norm=l2)`, `restarts(pgd(epsilon=0.3), times=10)`.
 * Values are numbers, fractions, true and false, words, paths, quoted strings, lists `[a, b]` and calls.
 * Names of options may be quoted too. A RangeError shows the text, a caret under the fault and what was
 * expected there.
 */
export function parseCall(text: string): Call {
  if (typeof text !== "string")
    throw new TypeError(`expected text such as "pgd(steps=7)", given ${typeof text}`);
  const reader = new Reader(text);
  const call = reader.call(0);
  reader.end();
  return call;
}

class Reader {
  #position = 0;
  /** Tells whether the value before is text without quotes, which may have been meant to go on. */
  #isBare = false;

  constructor(readonly text: string) {}

  call(depth: number): Call {
    const name = this.#take(WORD) ?? this.#expected(this.#isAtPath() ? nameNotPath : "a name");
    return this.#callNamed(name, depth);
  }

  end(): void {
    this.#take(SPACE);
    if (this.#position < this.text.length) this.#expected("the end");
  }

  #callNamed(name: string, depth: number): Call {
    const options = new Map<string, OptionValue>();
    const of: Call[] = [];
    if (this.#skip("(")) {
      if (depth >= MAX_DEPTH) this.#expected(`at most ${MAX_DEPTH} levels of parentheses`);
      while (!this.#skip(")")) {
        this.#argument(options, of, depth);
        if (this.#skip(",")) continue;
        if (!this.#peek(")")) this.#expected(`"," or ")"${this.#hint()}`);
      }
    }
    this.#isBare = false;
    // Object.fromEntries defines properties, so an option called __proto__ stays a plain option.
    const call = { name, options: Object.fromEntries(options) };
    return of.length === 0 ? call : { ...call, of };
  }

  #argument(options: Map<string, OptionValue>, of: Call[], depth: number): void {
    this.#take(SPACE);
    const start = this.#position;
    if (this.#isAtPath())
      this.#expected('the name of an option first, as in "path=./photos" or "epsilon=8/255"');
    const quoted = this.#take(QUOTED);
    const word =
      quoted === undefined
        ? (this.#take(WORD) ?? this.#expected('an option such as "steps=7"'))
        : this.#unquote(quoted, start);
    if (quoted === undefined && this.#peek("(")) {
      of.push(this.#callNamed(word, depth + 1));
      return;
    }
    if (!this.#skip("=")) this.#expected(`"=" and a value after "${word}", or "()" as in restarts(pgd())`);
    if (options.has(word)) {
      this.#position = start;
      this.#expected(`option "${word}" only once`);
    }
    options.set(word, this.#value(depth));
  }

  #hint(): string {
    return this.#isBare ? textHint : "";
  }

  #value(depth: number): OptionValue {
    this.#isBare = false;
    this.#take(SPACE);
    const start = this.#position;
    const number = this.#take(NUMBER);
    if (number !== undefined) {
      const value = parseRatio(number);
      if (value !== undefined) return value;
      this.#position = start;
      this.#expected('a number such as 7, 0.3, 1e-3 or 8/255 (text goes in "quotes")');
    }
    const quoted = this.#take(QUOTED);
    if (quoted !== undefined) return this.#unquote(quoted, start);
    if (this.#peek('"')) this.#expected("a closing quote");
    if (this.#skip("[")) return this.#list(depth);
    const word = this.#take(PATH) ?? this.#take(WORD);
    if (word === undefined) {
      const rest = this.text.slice(this.#position);
      const other = /^[^,()[\]=]/.test(rest) ? textHint : "";
      return this.#expected(`a value${rest.startsWith("'") ? ' (text goes in "double quotes")' : other}`);
    }
    if (this.#peek("(")) return this.#callNamed(word, depth + 1);
    this.#isBare = true;
    if (word === "true") return true;
    return word === "false" ? false : word;
  }

  #list(depth: number): OptionValue[] {
    if (depth >= MAX_DEPTH) this.#expected(`at most ${MAX_DEPTH} levels of brackets`);
    const values: OptionValue[] = [];
    while (!this.#skip("]")) {
      values.push(this.#value(depth + 1));
      if (this.#skip(",")) continue;
      if (!this.#peek("]")) this.#expected(`"," or "]"${this.#hint()}`);
    }
    this.#isBare = false;
    return values;
  }

  #unquote(quoted: string, start: number): string {
    try {
      return JSON.parse(quoted) as string;
    } catch {
      this.#position = start;
      return this.#expected("a string as JSON writes it");
    }
  }

  #take(pattern: RegExp): string | undefined {
    if (pattern !== SPACE) this.#take(SPACE);
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.#position += found.length;
    return found;
  }

  #isAtPath(): boolean {
    PATH.lastIndex = this.#position;
    return PATH.test(this.text);
  }

  #peek(mark: string): boolean {
    this.#take(SPACE);
    return this.text.startsWith(mark, this.#position);
  }

  #skip(mark: string): boolean {
    const there = this.#peek(mark);
    if (there) this.#position += mark.length;
    return there;
  }

  #expected(what: string): never {
    const caret = " ".repeat(this.#position);
    const shown = this.text.replace(/\s/g, " ");
    throw new RangeError(`expected ${what} at character ${this.#position + 1} of\n  ${shown}\n  ${caret}^`);
  }
}

/**
 * Text that `parseCall` reads back as a name and options, in the order given; undefined ones are left out.
 */
export function formatCall(
  name: string,
  options: Readonly<Record<string, unknown>> = {},
  of: readonly Call[] = [],
): string {
  const calls = of.map(formatNested);
  const named = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${isName(key) ? key : JSON.stringify(key)}=${formatValue(key, value)}`);
  const inner = [...calls, ...named];
  return inner.length === 0 ? requireWord(name) : `${requireWord(name)}(${inner.join(", ")})`;
}

function formatValue(key: string, value: unknown): string {
  if (typeof value === "number") return formatRatio(value);
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return isPlain(value) ? value : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => formatValue(key, item)).join(", ")}]`;
  if (isCall(value)) return formatNested(value);
  throw new TypeError(
    `option "${key}" must be a number, boolean, string, list or call to be written, given ${value}`,
  );
}

/** Text of a nested call, with its parentheses even when empty: else it would read back as a word. */
function formatNested(call: Call): string {
  const text = formatCall(call.name, call.options, call.of);
  return text.includes("(") ? text : `${text}()`;
}

/** Tells whether something has a call's name, options and calls without a name. */
export function isCall(value: unknown): value is Call {
  if (!isObject(value) || typeof value.name !== "string" || !isObject(value.options)) return false;
  return value.of === undefined || (Array.isArray(value.of) && value.of.every(isCall));
}

/** Tells whether text reads back as itself without quotes. */
function isPlain(text: string): boolean {
  NUMBER.lastIndex = 0;
  PATH.lastIndex = 0;
  if (NUMBER.test(text)) return false;
  return (isName(text) && !/^(true|false)$/.test(text)) || PATH.exec(text)?.[0] === text;
}

/** Tells whether text can name a thing or an option without quotes. */
export function isName(text: string): boolean {
  WORD.lastIndex = 0;
  return typeof text === "string" && WORD.exec(text)?.[0] === text;
}

function requireWord(text: string): string {
  if (!isName(text)) throw new RangeError(`a name must be letters, digits, "_", "." or "-", given "${text}"`);
  return text;
}
