import { FileFormatError, shownName } from "../../base/index.js";
import { elementCount, isCount } from "../safetensors-header.js";
import { notAllowed, PickleError, type PickleReader, type PickleValue } from "./pickle-values.js";
import { unpickle } from "./unpickle.js";

/** Array of bytes in a pickle; empty until its state is read. */
export class PickledArray {
  shape: readonly number[] = [];
  /** Elements, row-major. */
  bytes: Uint8Array = new Uint8Array(0);
}

/** Bytes in a pickle that are no name. */
export class PickledBytes {
  constructor(readonly content: Uint8Array) {}
}

/** Element type that an array in a pickle names. */
class PickledType {
  constructor(readonly name: string) {}
}

type Made = PickledArray | PickledBytes | PickledType;
type Value = PickleValue<Made>;

/** Longer texts of Python 2 are numbers of arrays. */
const longestName = 200;

/** Gives an array its shape and elements, checked against each other. */
function fill(array: PickledArray, state: Value): void {
  const [version, shape, type, isFortran, held] = Array.isArray(state) ? (state as readonly Value[]) : [];
  const isShape = Array.isArray(shape) && shape.length <= 8 && shape.every(isCount);
  if (version !== 1 || !isShape || !(type instanceof PickledType) || !(held instanceof PickledBytes))
    throw new PickleError("it describes an array in another way than NumPy does");
  const name = type.name.replace(/^[|<=]/, "");
  if (name !== "u1")
    throw new PickleError(`it holds an array of ${shownName(type.name)}; arrays of bytes (u1) are read`);
  const sides = shape as readonly number[];
  const count = elementCount(sides);
  if (count !== held.content.length)
    throw new PickleError(`an array of shape [${sides}] has ${held.content.length} elements`);
  if (isFortran === true && sides.length > 1)
    throw new PickleError("it holds an array in Fortran order, which is not read");
  array.shape = sides;
  array.bytes = held.content;
}

const reader: PickleReader<Made> = {
  reads: (name) =>
    /^numpy\.(_?core\.multiarray\._reconstruct|ndarray|dtype)$/.test(name) || name === "_codecs.encode",
  call(name, args) {
    if (name === "numpy.dtype") return typeof args[0] === "string" ? new PickledType(args[0]) : undefined;
    if (name === "_codecs.encode") {
      // Bytes as Python 3 writes them in protocol 2.
      const [text, coding] = args;
      const isLatin = typeof text === "string" && coding === "latin1";
      return isLatin ? new PickledBytes(Buffer.from(text, "latin1")) : undefined;
    }
    return name.endsWith("_reconstruct") ? new PickledArray() : undefined;
  },
  persistent: () => {
    throw notAllowed("an object outside of the file");
  },
  bytes(content) {
    const text = Buffer.from(content).toString("latin1");
    return content.length <= longestName && /^[\x20-\x7e|]*$/.test(text) ? text : new PickledBytes(content);
  },
  build(made, state) {
    if (made instanceof PickledArray) fill(made, state);
    return made instanceof PickledArray || made instanceof PickledType;
  },
};

/**
 * Value of a pickle of lists, names and arrays of bytes, such as CIFAR's files for Python. Nothing of it is
 * executed: globals are compared with NumPy's few, and objects of other classes are passed over.
 *
 * @throws FileFormatError that begins with `file`, for any other pickle and a damaged one
 */
export function readNumpyPickle(bytes: Uint8Array, file: string): PickleValue<PickledArray | PickledBytes> {
  try {
    return unpickle(bytes, reader) as PickleValue<PickledArray | PickledBytes>;
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new FileFormatError(`${file}: its pickle is not read: ${error.message}`, { cause: error });
  }
}
