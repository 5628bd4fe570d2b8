import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import {
  FileFormatError,
  MissingFileError,
  parseStrictJson,
  StrictJsonError,
  shownName,
} from "../../base/index.js";
import { listedNames, readStoredZip } from "../archives/zip.js";
import { remedyOf } from "../file-kind.js";
import { Pt2Problem } from "./fields.js";
import { type Pt2Program, programOf } from "./program.js";
import { exportAdvice, isTorchScript, torchScriptProblem, wholeModuleProblem } from "./recipe.js";
import { checkSpans, type Pt2Tensor, storedTensors } from "./stored-tensors.js";

/** Contents of a .pt2 file: data only; nothing of it is executed, and its sample inputs are not opened. */
export interface Pt2File {
  /** Hash of the file. */
  readonly sha256: string;
  readonly program: Pt2Program;
  /** Parameters and buffers by their names in the model that was exported. */
  readonly weights: ReadonlyMap<string, Pt2Tensor>;
  readonly constants: ReadonlyMap<string, Pt2Tensor>;
  /** All files of the archive by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Larger files are refused: Node reads no more at once. */
const mostBytes = 2 ** 31 - 1;
const mostJsonBytes = 2 ** 27;
const deepestJson = 64;

/** Throws for archives of other kinds, with the way to a .pt2 file. */
function refuseOthers(names: readonly string[], refuse: (problem: string) => FileFormatError): void {
  const has = (pattern: RegExp) => names.some((name) => pattern.test(name));
  if (has(/^[^/]+\/(data|models)\/.*(aotinductor|\.so$)/)) {
    throw refuse(`it holds compiled code (AOTInductor), which is never run; ${exportAdvice}`);
  }
  if (isTorchScript(names)) throw refuse(torchScriptProblem);
  if (has(/^[^/]+\/data\.pkl$/)) {
    throw refuse(
      "it is a checkpoint or a whole module by torch.save. Weights alone: " +
        "npx sqa import FILE --out W.safetensors, " +
        `with --architecture. ${wholeModuleProblem}`,
    );
  }
  if (has(/^(.+\/)?serialized_exported_program\.json$/)) {
    throw refuse(`it was written by a PyTorch before 2.8; ${exportAdvice}`);
  }
}

/**
 * Reads a model that `torch.export.save` wrote (.pt2), as hostile: every size, stride and offset is checked,
 * no pickle is opened, and operators are names only.
 *
 * @throws FileFormatError that begins with the file, for anything else
 */
export function readPt2(file: string): Pt2File {
  const refuse = (problem: string, cause?: unknown) =>
    new FileFormatError(`${file}: ${problem}`, cause === undefined ? undefined : { cause });
  if (!existsSync(file)) throw new MissingFileError(`model ${file} does not exist`);
  const status = statSync(file);
  if (!status.isFile()) throw refuse("not a regular file");
  if (status.size > mostBytes) throw refuse(`${status.size} bytes, more than ${mostBytes} are not read`);
  const bytes = readFileSync(file);
  if (bytes.length < 4 || bytes.readUInt32LE(0) !== 0x04034b50) {
    throw refuse(`no model of torch.export.save; ${remedyOf(bytes, "zip") ?? exportAdvice}`);
  }
  refuseOthers(listedNames(bytes), refuse);
  const files = readStoredZip(bytes, file);
  const models = [...files.keys()].filter((name) => /^[^/]+\/models\/[^/]+\.json$/.test(name));
  const [model] = models;
  if (model === undefined || models.length > 1) {
    throw refuse(`a .pt2 file holds one model, this has ${models.length}; ${exportAdvice}`);
  }
  const folder = model.slice(0, model.indexOf("/") + 1);
  const name = model.slice(`${folder}models/`.length, -".json".length);
  const text = (path: string) =>
    Buffer.from(files.get(path) ?? [])
      .toString()
      .trim();
  if (text(`${folder}byteorder`) === "big") throw refuse("its numbers are big-endian, which is not read");
  const json = (path: string): unknown => {
    const content = files.get(path);
    if (content === undefined) return { config: {} };
    if (content.length > mostJsonBytes)
      throw refuse(`"${shownName(path)}" has more than ${mostJsonBytes} bytes`);
    return parseStrictJson(Buffer.from(content).toString(), deepestJson);
  };
  try {
    const tensors = (kind: "weights" | "constants") =>
      storedTensors(
        json(`${folder}data/${kind}/${name}_${kind}_config.json`),
        kind,
        `${folder}data/${kind}/`,
        files,
      );
    const [weights, constants] = [tensors("weights"), tensors("constants")];
    checkSpans([...weights.values(), ...constants.values()], files);
    return {
      sha256: createHash("sha256").update(bytes).digest("hex"),
      program: programOf(json(model)),
      weights,
      constants,
      files,
    };
  } catch (error) {
    if (error instanceof Pt2Problem || error instanceof StrictJsonError) throw refuse(error.message, error);
    throw error;
  }
}
