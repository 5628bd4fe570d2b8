import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { FileFormatError, MissingFileError } from "../../base/index.js";
import { remedyOf } from "../file-kind.js";
import { ExternalData } from "./external-data.js";
import { parseOnnx } from "./messages.js";
import type { OnnxModel, OnnxTensor } from "./proto.js";
import { elementsOf, type OnnxElements } from "./tensor-data.js";

/** Protocol Buffers have the same limit; larger models keep their weights in a file beside them. */
const mostFileBytes = 2 ** 31 - 1;

/** A model's file with a way to its tensors. */
export interface OnnxFile {
  readonly model: OnnxModel;
  /** Elements of a tensor, read when they are asked for: views of the file where nothing has to change. */
  elements(tensor: OnnxTensor): OnnxElements;
  /** Hash of the file, and of what was read of files beside it. */
  sha256(): string;
  /** Closes the files beside the model. */
  close(): void;
}

/**
 * Reads a model in ONNX's format as data: nothing of it is run, and files beside it are read only where they
 * are plain files of its own folder.
 *
 * @param path of the file; or its bytes, which have no files beside them
 * @throws FileFormatError that names the file and what is wrong
 */
export function readOnnx(path: string | Uint8Array): OnnxFile {
  const file = typeof path === "string" ? path : "ONNX bytes";
  const bytes = typeof path === "string" ? bytesOf(path) : path;
  const remedy = remedyOf(bytes, undefined);
  if (remedy !== undefined) throw new FileFormatError(`${file}: not an ONNX file; ${remedy}`);
  const model = parseOnnx(bytes, file);
  const hash = createHash("sha256").update(bytes);
  const beside = typeof path === "string" ? new ExternalData(path) : undefined;
  return {
    model,
    elements(tensor) {
      if (tensor.external === undefined) return elementsOf(tensor, file);
      if (beside === undefined) {
        throw new FileFormatError(`${file}: its weights lie in a file beside it; give the model's path`);
      }
      const external = beside.read(tensor);
      hash.update(external);
      return elementsOf(tensor, file, external);
    },
    sha256: () => hash.copy().digest("hex"),
    close() {
      beside?.close();
    },
  };
}

function bytesOf(path: string): Uint8Array {
  if (!existsSync(path)) throw new MissingFileError(`model ${path} does not exist`);
  const status = statSync(path);
  if (!status.isFile()) throw new FileFormatError(`${path}: not a regular file`);
  if (status.size > mostFileBytes) {
    throw new FileFormatError(`${path}: ${status.size} bytes, more than the ${mostFileBytes} that are read`);
  }
  return readFileSync(path);
}
