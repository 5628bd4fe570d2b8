/** A pickle was refused: the message says what it asked for or where it is damaged. */
export class PickleError extends Error {
  override readonly name = "PickleError";
}

/** A function or class that a pickle names, by its module and name; it is never looked up. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}

/** What an embedding format makes of globals and of references to its own storage. `Made` is what they make. */
export interface PickleReader<Made extends object> {
  /** A global applied to arguments; undefined for one that is not allowed. */
  call(name: string, args: readonly PickleValue<Made>[]): PickleValue<Made> | undefined;
  /** Whether a global may be named at all. */
  allows(name: string): boolean;
  persistent(id: PickleValue<Made>): PickleValue<Made>;
}

/** Lists and tuples are arrays, dictionaries are maps. */
export type PickleValue<Made extends object> =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleGlobal
  | readonly PickleValue<Made>[]
  | Map<PickleValue<Made>, PickleValue<Made>>
  | Made;

/** Keys of dictionaries: other values could be nested without end. */
export function isKey(value: unknown): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

const mark = Symbol("mark");

/** Reads bytes in order; beyond their end is a PickleError. */
class Bytes {
  at = 0;
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new PickleError("it ends in the middle");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  uint(length: 1 | 2 | 4): number {
    const { byteOffset } = this.take(length);
    const at = byteOffset - this.#view.byteOffset;
    return length === 1
      ? this.#view.getUint8(at)
      : length === 2
        ? this.#view.getUint16(at, true)
        : this.#view.getUint32(at, true);
  }

  int32(): number {
    return this.uint(4) | 0;
  }

  float(): number {
    this.take(8);
    return this.#view.getFloat64(this.at - 8, false);
  }

  text(length: number): string {
    return new TextDecoder().decode(this.take(length));
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleError("it ends in the middle");
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  /** A two's complement integer of any length, little-endian. */
  long(length: number): number | bigint {
    const hex = [...this.take(length)].reverse().map((byte) => byte.toString(16).padStart(2, "0"));
    const value = BigInt.asIntN(8 * length, length === 0 ? 0n : BigInt(`0x${hex.join("")}`));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
}

/**
 * The value that a pickle describes, without executing anything: numbers, strings, lists, tuples, dictionaries, and what
 * `reader` makes of the globals that it allows. Throws a PickleError for every other global, which it names, every other
 * operation, and for a pickle that is damaged. Source: the opcodes of CPython's pickletools, protocols 2 to 5.
 */
export function unpickle<Made extends object>(bytes: Uint8Array, reader: PickleReader<Made>): PickleValue<Made> {
  type Value = PickleValue<Made>;
  const input = new Bytes(bytes);
  const stack: (Value | typeof mark)[] = [];
  const memo = new Map<number, Value>();

  const pop = (): Value => {
    const value = stack.pop();
    if (value === undefined || value === mark) throw new PickleError("it takes from an empty stack");
    return value;
  };
  const popToMark = (): Value[] => {
    const at = stack.lastIndexOf(mark);
    if (at < 0) throw new PickleError("it takes from an empty stack");
    return stack.splice(at).slice(1) as Value[];
  };
  const top = (): Value => {
    const value = pop();
    stack.push(value);
    return value;
  };
  const popText = (): string => {
    const value = pop();
    if (typeof value !== "string") throw new PickleError("it names a global by something else than text");
    return value;
  };
  const recall = (index: number): Value => {
    const value = memo.get(index);
    if (value === undefined) throw new PickleError(`it recalls value ${index}, which it has not kept`);
    return value;
  };
  const global = (module: string, name: string): PickleGlobal => {
    const full = `${module}.${name}`;
    if (!reader.allows(full)) throw new PickleError(`it asks for ${full}, which is not allowed: it could run anything`);
    return new PickleGlobal(full);
  };
  const setItems = (pairs: readonly Value[]): void => {
    const target = top();
    if (!(target instanceof Map) || pairs.length % 2 !== 0) throw new PickleError("it sets items of what has none");
    for (let i = 0; i < pairs.length; i += 2) {
      if (!isKey(pairs[i]!)) throw new PickleError("it has a key that is no text or number");
      target.set(pairs[i]!, pairs[i + 1]!);
    }
  };
  const append = (items: readonly Value[]): void => {
    const target = top();
    if (!Array.isArray(target)) throw new PickleError("it appends to what is no list");
    for (const item of items) target.push(item);
  };
  const call = (): Value => {
    const args = pop();
    const callee = pop();
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args))
      throw new PickleError("it calls what is no function");
    const made = reader.call(callee.name, args);
    if (made === undefined) throw new PickleError(`it calls ${callee.name} with what that does not take`);
    return made;
  };
  /** A dictionary's attributes, such as a state dict's `_metadata`, are dropped; nothing else here has any. */
  const build = (): void => {
    pop();
    if (!(top() instanceof Map)) throw new PickleError("it sets the attributes of an object");
  };

  const operations: Record<number, () => Value | undefined> = {
    128: () => void input.take(1), // PROTO
    149: () => void input.take(8), // FRAME
    40: () => void stack.push(mark), // MARK
    48: () => void pop(), // POP
    78: () => null, // NONE
    136: () => true, // NEWTRUE
    137: () => false, // NEWFALSE
    74: () => input.int32(), // BININT
    75: () => input.uint(1), // BININT1
    77: () => input.uint(2), // BININT2
    138: () => input.long(input.uint(1)), // LONG1
    71: () => input.float(), // BINFLOAT
    88: () => input.text(input.uint(4)), // BINUNICODE
    140: () => input.text(input.uint(1)), // SHORT_BINUNICODE
    84: () => input.text(input.uint(4)), // BINSTRING
    85: () => input.text(input.uint(1)), // SHORT_BINSTRING
    125: () => new Map(), // EMPTY_DICT
    93: () => [], // EMPTY_LIST
    41: () => [], // EMPTY_TUPLE
    116: () => popToMark(), // TUPLE
    133: () => [pop()], // TUPLE1
    134: () => [pop(), pop()].reverse(), // TUPLE2
    135: () => [pop(), pop(), pop()].reverse(), // TUPLE3
    97: () => void append([pop()]), // APPEND
    101: () => void append(popToMark()), // APPENDS
    115: () => void setItems([pop(), pop()].reverse()), // SETITEM
    117: () => void setItems(popToMark()), // SETITEMS
    113: () => void memo.set(input.uint(1), top()), // BINPUT
    114: () => void memo.set(input.uint(4), top()), // LONG_BINPUT
    148: () => void memo.set(memo.size, top()), // MEMOIZE
    104: () => recall(input.uint(1)), // BINGET
    106: () => recall(input.uint(4)), // LONG_BINGET
    99: () => global(input.line(), input.line()), // GLOBAL
    147: () => global(...([popText(), popText()].reverse() as [string, string])), // STACK_GLOBAL
    81: () => reader.persistent(pop()), // BINPERSID
    82: call, // REDUCE
    98: () => void build(), // BUILD
  };

  for (;;) {
    const at = input.at;
    const code = input.uint(1);
    if (code === 0x2e) return pop();
    const operation = operations[code];
    if (operation === undefined) {
      throw new PickleError(`operation 0x${code.toString(16).padStart(2, "0")} at byte ${at} is not allowed`);
    }
    const value = operation();
    if (value !== undefined) stack.push(value);
  }
}
