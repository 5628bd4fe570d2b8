import { shownName } from "../../base/index.js";

/** A pickle was refused: the message says what it asked for or where it is damaged. */
export class PickleError extends Error {
  override readonly name = "PickleError";
}

/** A function or class that a pickle names, by its module and name; it is never looked up. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}

/** An object of a class that is not read. It is passed over: nothing of it is looked up, made or called. */
export class PickleUnread {
  /** Set where it was given tensors: to pass it over would be to lose them. */
  holdsMade = false;

  constructor(readonly name: string) {}
}

/** An embedding format, which makes `Made` of globals and of references to its own storage. */
export interface PickleReader<Made extends object> {
  /** Tells whether a global is read; objects of any other are passed over. */
  reads(name: string): boolean;
  /** A global that is read, applied to arguments; undefined for arguments that it does not take. */
  call(name: string, args: readonly PickleValue<Made>[]): PickleValue<Made> | undefined;
  persistent(id: PickleValue<Made>): PickleValue<Made>;
  /** Reads bytes, and the texts of Python 2, which may be bytes; without it they are passed over. */
  bytes?(content: Uint8Array): PickleValue<Made>;
  /** Gives what it made its state; false where that has none. */
  build?(made: PickleValue<Made>, state: PickleValue<Made>): boolean;
}

/** Lists and tuples are arrays, dictionaries are maps. */
export type PickleValue<Made extends object> =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleGlobal
  | PickleUnread
  | readonly PickleValue<Made>[]
  | Map<PickleValue<Made>, PickleValue<Made>>
  | Made;

/** Keys of dictionaries that are read: an entry of any other key is passed over. */
export function isKey(value: unknown): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

/**
 * Tells whether a value is of the embedding format's making, or a container has one that is, three levels
 * deep at most. `spend` is told how many values are looked at.
 */
export function holdsMade(value: unknown, spend: (count: number) => void, depth = 3): boolean {
  if (typeof value !== "object" || value === null || value instanceof PickleGlobal) return false;
  if (value instanceof PickleUnread) return value.holdsMade;
  const items = Array.isArray(value) ? value : value instanceof Map ? value.values() : undefined;
  if (items === undefined) return true;
  if (depth === 0) return false;
  for (const item of items) {
    spend(1);
    if (holdsMade(item, spend, depth - 1)) return true;
  }
  return false;
}

const attackModules = [
  "os",
  "posix",
  "nt",
  "subprocess",
  "sys",
  "shutil",
  "socket",
  "pty",
  "runpy",
  "importlib",
];
const moreModules = ["ctypes", "webbrowser", "pickle", "marshal", "code"];
const attackFunctions = ["eval", "exec", "compile", "open", "input", "__import__", "breakpoint"];

/**
 * Functions without a place beside weights: who puts them there attacks those who load the file elsewhere.
 */
const attacks = new RegExp(
  `^(?:(?:${[...attackModules, ...moreModules].join("|")})[.]|` +
    `(?:builtins|__builtin__)[.](?:${attackFunctions.join("|")})$)`,
);

/** Throws a PickleError for a global by which a file would run programs where it is loaded by PyTorch. */
export function checkGlobal(name: string): void {
  if (attacks.test(name)) throw notAllowed(name);
}

/** The PickleError that names a global which is not read. */
export function notAllowed(name: string): PickleError {
  return new PickleError(`it asks for ${shownName(name)}, which is not allowed: it could run anything`);
}
