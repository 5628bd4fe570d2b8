import { FileFormatError, messageOf, shownName } from "../../base/index.js";
import { readPt2 } from "../../files/index.js";
import type { ImageShape } from "../model.js";
import { graphOfPt2, narrowTypes } from "./aten/pt2-graph.js";
import type { Graph } from "./graph.js";
import { pt2GraphSha256 } from "./hash/pt2-hash.js";
import { onnxGraph } from "./onnx/onnx-graph.js";

/** Graph of a file, before anything of it runs. */
export interface GraphFile {
  readonly graph: Graph;
  /** Hash of the file. */
  readonly sha256: string;
  /** Hash of the graph's structure, without names and weights. */
  readonly graphSha256: string;
  /** Format with its version and the program that wrote it. */
  readonly format: string;
  /** Remarks on the format that a user should read. */
  readonly warnings: readonly string[];
  /** Other remarks, such as on how the model takes images. */
  readonly notes?: readonly string[];
}

/** Major version of the format that is known; files of others are tried all the same. */
const knownSchema = 8;

function readPt2Graph(file: string): GraphFile {
  const read = readPt2(file);
  const { schema, torch } = read.program;
  const [major, minor] = schema;
  const format = `.pt2, schema ${major}.${minor}${torch === "" ? "" : `, of PyTorch ${torch}`}`;
  const graph = inFile(file, () => graphOfPt2(read));
  const warnings: string[] = [];
  if (major !== knownSchema) {
    const known = `known is ${knownSchema}: compare its accuracy with PyTorch's`;
    warnings.push(`its schema is ${major}.${minor}; ${known}`);
  }
  const narrow = narrowTypes(read, graph);
  if (narrow.length > 0) {
    warnings.push(
      `it computes in ${narrow.join(" and ")}, in whole or part: logits of 16 bits tie and gradients are ` +
        "coarse, so that attacks can look weaker than they are; attack it exported in float32, too",
    );
  }
  const graphSha256 = inFile(file, () => pt2GraphSha256(read));
  return { graph, sha256: read.sha256, graphSha256, format, warnings };
}

function readOnnxGraph(file: string, inputShape: ImageShape | undefined): GraphFile {
  const { opset, producer, ...read } = onnxGraph(file, inputShape);
  const format = `ONNX, operator set ${opset}${producer === "" ? "" : `, of ${shownName(producer)}`}`;
  return { ...read, format, warnings: [] };
}

/** Formats of exported models, by the endings of their files. */
const formats: ReadonlyMap<string, (file: string, inputShape?: ImageShape) => GraphFile> = new Map([
  [".pt2", readPt2Graph],
  [".onnx", readOnnxGraph],
]);

/** Endings of files that hold an exported model. */
export const graphFileEndings: readonly string[] = [...formats.keys()];

const endingOf = (file: string) => graphFileEndings.find((ending) => file.toLowerCase().endsWith(ending));

/** Tells whether a path is that of an exported model. */
export function isGraphFile(file: string): boolean {
  return endingOf(file) !== undefined;
}

/** Runs the reading of a file, whose name then begins the message of an error. */
export function inFile<T>(file: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    if (cause instanceof FileFormatError) throw cause;
    throw new FileFormatError(`${file}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/**
 * Reads the graph of an exported model.
 *
 * @param inputShape of an image, where the file leaves it free
 * @throws FileFormatError that begins with the file, for one that cannot be read or run
 */
export function readGraphFile(file: string, inputShape?: ImageShape): GraphFile {
  const ending = endingOf(file);
  if (ending !== undefined) return formats.get(ending)!(file, inputShape);
  throw new RangeError(`${file}: exported models end in ${graphFileEndings.join(" or ")}`);
}
