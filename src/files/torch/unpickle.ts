import { shownName } from "../../base/index.js";
import { PickleBytes } from "./pickle-bytes.js";
import {
  checkGlobal,
  holdsMade,
  isKey,
  PickleError,
  PickleGlobal,
  type PickleReader,
  PickleUnread,
  type PickleValue,
} from "./pickle-values.js";

const mark = Symbol("mark");

/**
 * Most that values may cost together, in units of some 30 bytes of memory; a checkpoint of 100,000 tensors
 * costs about as much. A byte of a pickle may stand for an empty dictionary, which takes hundreds.
 */
const mostUnits = 2 ** 23;
const unitsOf = { operation: 1, list: 5, dictionary: 12, entry: 3 };

/**
 * The value that a pickle describes, without executing anything: numbers, strings, lists, tuples,
 * dictionaries, and what `reader` makes of the globals that it reads. Objects of other classes are passed
 * over as a `PickleUnread`, as are sets and bytes.
 *
 * Throws a PickleError for globals that could only be an attack, which it names, for operations that none of
 * these need, for more values than any checkpoint has, and for a pickle that is damaged. Source: the opcodes
 * of CPython's pickletools, protocols 2 to 5.
 */
export function unpickle<Made extends object>(
  bytes: Uint8Array,
  reader: PickleReader<Made>,
): PickleValue<Made> {
  type Value = PickleValue<Made>;
  const input = new PickleBytes(bytes);
  const stack: (Value | typeof mark)[] = [];
  const memo = new Map<number, Value>();

  let spent = 0;
  const spend = (units: number): void => {
    spent += units;
    if (spent > mostUnits) throw new PickleError("it describes more values than any checkpoint has");
  };
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
  const keep = (index: number): void => {
    spend(unitsOf.entry);
    memo.set(index, top());
  };
  const recall = (index: number): Value => {
    const value = memo.get(index);
    if (value === undefined) throw new PickleError(`it recalls value ${index}, which it has not kept`);
    return value;
  };
  const list = (items: Value[]): Value[] => {
    spend(unitsOf.list);
    return items;
  };
  const dictionary = (): Map<Value, Value> => {
    spend(unitsOf.dictionary);
    return new Map();
  };
  const global = (module: string, name: string): PickleGlobal => {
    const full = `${module}.${name}`;
    checkGlobal(full);
    return new PickleGlobal(full);
  };
  /** An object that is passed over; `given` is what it is made of or holds. */
  const unread = (name: string, given: readonly Value[]): PickleUnread => {
    spend(unitsOf.list);
    const made = new PickleUnread(name);
    made.holdsMade = holdsMade(given, spend);
    return made;
  };
  /**
   * Takes what an object is told to hold: an object that is passed over only remembers whether tensors were
   * among it.
   */
  const passOver = (target: Value, given: readonly Value[]): boolean => {
    if (!(target instanceof PickleUnread)) return false;
    target.holdsMade ||= holdsMade(given, spend);
    return true;
  };
  const setItems = (pairs: readonly Value[]): void => {
    const target = top();
    if (passOver(target, pairs)) return;
    if (!(target instanceof Map) || pairs.length % 2 !== 0)
      throw new PickleError("it sets items of what has none");
    spend((pairs.length / 2) * unitsOf.entry);
    for (let i = 0; i < pairs.length; i += 2) if (isKey(pairs[i])) target.set(pairs[i]!, pairs[i + 1]!);
  };
  const append = (items: readonly Value[]): void => {
    const target = top();
    if (passOver(target, items)) return;
    if (!Array.isArray(target)) throw new PickleError("it appends to what is no list");
    for (const item of items) target.push(item);
  };
  const add = (items: readonly Value[]): void => {
    if (!passOver(top(), items)) throw new PickleError("it adds to what is no set");
  };
  const call = (keywords: Value = new Map()): Value => {
    const args = pop();
    const callee = pop();
    if (!Array.isArray(args)) throw new PickleError("it calls what is no function");
    if (callee instanceof PickleUnread) return unread(callee.name, [callee, args, keywords]);
    if (!(callee instanceof PickleGlobal)) throw new PickleError("it calls what is no function");
    if (!reader.reads(callee.name)) return unread(callee.name, [args, keywords]);
    spend(unitsOf.dictionary);
    const made = reader.call(callee.name, args);
    if (made === undefined)
      throw new PickleError(`it calls ${shownName(callee.name)} with what that does not take`);
    return made;
  };
  /**
   * A dictionary's attributes, such as a state dict's `_metadata`, are dropped; nothing else that is read has
   * any.
   */
  const build = (): void => {
    const state = pop();
    if (passOver(top(), [state]) || top() instanceof Map || reader.build?.(top(), state) === true) return;
    throw new PickleError("it sets the attributes of an object");
  };
  const bytesOf = (length: number): Value => {
    const content = input.take(length);
    return reader.bytes?.(content) ?? unread("bytes", []);
  };
  /** Text of Python 2: names, and bytes where the reader takes them. */
  const oldText = (length: number): Value =>
    reader.bytes === undefined ? input.text(length) : reader.bytes(input.take(length));

  const operations: Record<number, () => Value | undefined> = {
    128: () => void input.take(1), // PROTO
    149: () => void input.take(8), // FRAME
    40: () => void stack.push(mark), // MARK
    48: () => void pop(), // POP
    49: () => void popToMark(), // POP_MARK
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
    141: () => input.text(input.uint(8)), // BINUNICODE8
    84: () => oldText(input.uint(4)), // BINSTRING
    85: () => oldText(input.uint(1)), // SHORT_BINSTRING
    66: () => bytesOf(input.uint(4)), // BINBYTES
    67: () => bytesOf(input.uint(1)), // SHORT_BINBYTES
    142: () => bytesOf(input.uint(8)), // BINBYTES8
    150: () => bytesOf(input.uint(8)), // BYTEARRAY8
    125: dictionary, // EMPTY_DICT
    93: () => list([]), // EMPTY_LIST
    41: () => list([]), // EMPTY_TUPLE
    143: () => unread("set", []), // EMPTY_SET
    145: () => unread("frozenset", popToMark()), // FROZENSET
    116: () => list(popToMark()), // TUPLE
    133: () => list([pop()]), // TUPLE1
    134: () => list([pop(), pop()].reverse()), // TUPLE2
    135: () => list([pop(), pop(), pop()].reverse()), // TUPLE3
    97: () => void append([pop()]), // APPEND
    101: () => void append(popToMark()), // APPENDS
    144: () => void add(popToMark()), // ADDITEMS
    115: () => void setItems([pop(), pop()].reverse()), // SETITEM
    117: () => void setItems(popToMark()), // SETITEMS
    113: () => void keep(input.uint(1)), // BINPUT
    114: () => void keep(input.uint(4)), // LONG_BINPUT
    148: () => void keep(memo.size), // MEMOIZE
    104: () => recall(input.uint(1)), // BINGET
    106: () => recall(input.uint(4)), // LONG_BINGET
    99: () => global(input.line(), input.line()), // GLOBAL
    147: () => global(...([popText(), popText()].reverse() as [string, string])), // STACK_GLOBAL
    81: () => reader.persistent(pop()), // BINPERSID
    82: () => call(), // REDUCE
    129: () => call(), // NEWOBJ
    146: () => call(pop()), // NEWOBJ_EX
    98: () => void build(), // BUILD
  };

  for (;;) {
    const at = input.at;
    const code = input.uint(1);
    if (code === 0x2e) return pop();
    const operation = operations[code];
    if (operation === undefined) {
      const shown = `0x${code.toString(16).padStart(2, "0")}`;
      throw new PickleError(`operation ${shown} at byte ${at} is not allowed: protocols 2 to 5 are read`);
    }
    spend(unitsOf.operation);
    const value = operation();
    if (value !== undefined) stack.push(value);
  }
}
