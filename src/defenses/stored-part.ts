import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type * as z from "zod";
import { FileFormatError, fileSha256, firstFault } from "../base/index.js";
import { scope, tensor } from "../engine/index.js";
import { readSealed } from "../files/index.js";
import { loadState, type Module, notFiniteWeight } from "../nn/index.js";

/** Kind of a trained part of a defense: its name in files, its sizes, and the module that they make. */
export interface PartKind<Sizes, M extends Module = Module> {
  readonly name: string;
  /** Command that trains it. */
  readonly command: string;
  /** Limits of sizes: a file of somebody else's says them. */
  readonly sizes: z.ZodType<Sizes>;
  build(sizes: Sizes): M;
}

/** Notes by which a file of weights says which part it holds. */
export function partNotes<Sizes>(kind: PartKind<Sizes>, sizes: Sizes): Record<string, string> {
  return { part: kind.name, sizes: JSON.stringify(sizes) };
}

/** File of weights in the folder that training leaves. */
const weightsName = "weights.safetensors";

/** File of a part's weights, given it or the folder that training left. */
function weightsOf(path: string, { name, command }: PartKind<unknown>): string {
  if (!existsSync(path)) throw new RangeError(`${name}: ${path} does not exist; ${command} trains one`);
  if (!statSync(path).isDirectory()) return path;
  const file = join(path, weightsName);
  if (existsSync(file)) return file;
  throw new RangeError(`${name}: ${path} holds no ${weightsName}; ${command} trains one to its end`);
}

/** SHA-256 of a trained part's file, given it or its folder; undefined where it is not there. */
export function partSha256(path: string | undefined): string | undefined {
  if (path === undefined || !existsSync(path)) return undefined;
  const file = statSync(path).isDirectory() ? join(path, weightsName) : path;
  return existsSync(file) ? fileSha256(file) : undefined;
}

/**
 * Reads a trained part of a defense out of its file or folder.
 *
 * @throws RangeError for a path that holds none; FileFormatError that names the file for one of another kind,
 *   with sizes beyond the limits, or damaged
 */
export function readPart<Sizes, M extends Module>(
  path: string,
  kind: PartKind<Sizes, M>,
): { readonly sizes: Sizes; readonly module: M } {
  const file = weightsOf(path, kind);
  const { tensors, metadata } = readSealed(file);
  const { part, sizes: text = "" } = metadata;
  if (part !== kind.name) {
    const found = part === undefined ? "weights of no defense" : `a ${part}`;
    throw new FileFormatError(`${file}: holds ${found}, not a ${kind.name}; ${kind.command} trains one`);
  }
  const sizes = kind.sizes.safeParse(parseJson(text));
  if (!sizes.success) throw new FileFormatError(`${file}: sizes: ${firstFault(sizes.error)}`);
  const module = kind.build(sizes.data);
  scope(() => {
    const state = [...tensors].map(([name, { dtype, shape, data }]) => {
      if (dtype === "float32") return [name, tensor(data, shape)] as const;
      throw new FileFormatError(`${file}: tensor "${name}" must be float32, not ${dtype}`);
    });
    try {
      loadState(module, new Map(state));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new FileFormatError(`${file}: ${error.message}`, { cause: error });
    }
    const broken = notFiniteWeight(module);
    if (broken !== undefined) throw new FileFormatError(`${file}: weight "${broken}" holds NaN or infinity`);
  });
  return { sizes: sizes.data, module };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
