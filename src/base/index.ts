export { suggestedName } from "./aliases.js";
export { checkFolder, checkFolderName, checkKind, checkNumber, isObject, shownGiven } from "./argument.js";
export {
  errorOf,
  FileFormatError,
  MissingFileError,
  messageOf,
  NotFiniteError,
  nearestName,
  TensorError,
  UseAfterDisposeError,
  unknownName,
} from "./errors.js";
export { removeAbandoned } from "./files/abandoned.js";
export { writeFileAtomic, writeNewFile } from "./files/atomic-file.js";
export { fileSha256 } from "./files/file-hash.js";
export { ForeignFileError, refuseForeign } from "./files/foreign-files.js";
export { checkWritable, makeFolder } from "./files/make-folder.js";
export { readJsonFile } from "./files/read-json.js";
export { readTextFile } from "./files/read-text.js";
export { entryAt, statusAt } from "./files/status.js";
export { firstFault } from "./first-fault.js";
export { checkOptionNames } from "./option-names.js";
export { countText, printable, shortened, shownName } from "./printable.js";
export { isGone, processStart, stillRuns } from "./processes.js";
export { checkSeed, deriveSeed, permutation, type Seed, toSeed, wordStream } from "./seed.js";
export { sizeOf } from "./shape.js";
export { parseStrictJson, StrictJsonError } from "./strict-json.js";
export { isModuleFile, loadUserModule, type UserModule } from "./user-module.js";
export { packageVersion } from "./version.js";
export { isAbort, type Steps, Work } from "./work.js";
export { chosenFor, type HalfCounts, worstByImage, worstCounts } from "./worst-case.js";
