import { existsSync } from "node:fs";
import { basename } from "node:path";
import type * as z from "zod";
import { firstFault, parseStrictJson } from "../../base/index.js";
import { readWhole } from "./read-part.js";

/** Fault of a file in a run folder, in words that begin with its name. */
export class BrokenFileError extends Error {
  override readonly name = "BrokenFileError";
}

const megabyte = 2 ** 20;

/**
 * Content of a JSON file as a schema describes it; undefined where there is no file.
 *
 * @throws BrokenFileError for anything else
 */
export function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  most = 4 * megabyte,
): z.output<Schema> | undefined {
  if (!existsSync(path)) return undefined;
  const name = basename(path);
  const bytes = readWhole(path, most);
  if (bytes === undefined) throw new BrokenFileError(`${name}: no regular file of at most ${most} bytes`);
  let content: unknown;
  try {
    content = parseStrictJson(bytes.toString("utf8"), 64);
  } catch (error) {
    throw new BrokenFileError(`${name}: ${(error as Error).message}`);
  }
  const checked = schema.safeParse(content);
  if (checked.success) return checked.data;
  throw new BrokenFileError(`${name}: ${firstFault(checked.error)}`);
}
