import { join } from "node:path";
import {
  FileFormatError,
  firstFault,
  isObject,
  parseStrictJson,
  readTextFile,
  statusAt,
} from "../../../base/index.js";
import { type AuditJson, auditSchema, auditSchemaVersion } from "./schema/audit.js";
import { earlierVersion, fromEarlierForm } from "./schema/earlier-form.js";

/** Depth of its nesting: far above what it has. */
const deepest = 32;

/** Bytes of an audit.json: many times that of an audit of 10,000 images. */
const mostBytes = 128 * 2 ** 20;

/**
 * Reads an audit.json, or that of a folder.
 *
 * @throws FileFormatError that names the file and the field that is not an audit's
 */
export function readAudit(path: string): { readonly audit: AuditJson; readonly file: string } {
  const isFolder = statusAt(path)?.isDirectory() === true;
  const file = isFolder ? join(path, "audit.json") : path;
  const text = readTextFile(file, mostBytes);
  try {
    return { audit: auditOf(parseStrictJson(text, deepest), file), file };
  } catch (error) {
    if (error instanceof FileFormatError) throw error;
    // Node's message goes on with lines of the file.
    const [problem] = (error as Error).message.split(', "', 1);
    throw new FileFormatError(`${file}: cannot be read as JSON: ${problem}`, { cause: error });
  }
}

/**
 * Checks the content of an audit.json, also of the form before. FileFormatError, which begins with `what`,
 * for anything else.
 */
export function auditOf(given: unknown, what = "audit"): AuditJson {
  const version = isObject(given) ? given.schema : undefined;
  const isEarlier = isObject(given) && version === earlierVersion;
  const { success, data, error } = auditSchema.safeParse(isEarlier ? fromEarlierForm(given) : given);
  if (success) return data;
  if (version !== auditSchemaVersion && !isEarlier) {
    const found =
      version === undefined ? "it has no field schema" : `its schema is ${JSON.stringify(version)}`;
    throw new FileFormatError(`${what}: is no audit.json of ${auditSchemaVersion}: ${found}; audit again`);
  }
  throw new FileFormatError(`${what}: ${firstFault(error)}`);
}
