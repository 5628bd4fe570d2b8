export { checkKind, checkNumber, isObject, shownGiven } from "./argument.js";
export { writeFileAtomic } from "./atomic-file.js";
export {
  FileFormatError,
  NotFiniteError,
  nearestName,
  TensorError,
  UseAfterDisposeError,
  unknownName,
} from "./errors.js";
export { makeFolder } from "./make-folder.js";
export { checkSeed, deriveSeed, permutation, type Seed, toSeed, wordStream } from "./seed.js";
export { parseStrictJson, StrictJsonError } from "./strict-json.js";
