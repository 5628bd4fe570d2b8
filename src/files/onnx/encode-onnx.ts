import type { OnnxAttribute, OnnxModel, OnnxNode, OnnxTensor, OnnxValue } from "./proto.js";
import { WireWriter } from "./wire-writer.js";

/** Words about a model that a file has beside its graph. */
export interface OnnxWords {
  /** Name of the graph. */
  readonly name: string;
  /** Text for people. */
  readonly doc: string;
  /** Entries for programs. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The bytes of an ONNX file in pieces; those of the weights are not copied.
 *
 * Source: the messages of `onnx.proto` (ONNX, IR version 10), by their numbers.
 *
 * @throws RangeError for a model of 2 GiB or more, TypeError for parts that are only read here
 */
export function encodeOnnx(model: OnnxModel, words: OnnxWords): Uint8Array[] {
  const { irVersion, producer, opsets, graph, functions } = model;
  if (functions.length > 0) throw new TypeError("functions of a file's own are not written");
  const file = new WireWriter();
  file.int(1, irVersion);
  file.text(2, producer);
  file.text(6, words.doc);
  file.message(7, (inner) => {
    for (const node of graph.nodes) inner.message(1, (at) => writeNode(at, node));
    inner.text(2, words.name);
    for (const tensor of graph.initializers) inner.message(5, (at) => writeTensor(at, tensor));
    for (const value of graph.inputs) inner.message(11, (at) => writeValue(at, value));
    for (const value of graph.outputs) inner.message(12, (at) => writeValue(at, value));
  });
  for (const [domain, version] of opsets) {
    file.message(8, (inner) => {
      inner.text(1, domain);
      inner.int(2, version);
    });
  }
  for (const [key, value] of Object.entries(words.metadata)) {
    file.message(14, (inner) => {
      inner.text(1, key);
      inner.text(2, value);
    });
  }
  return file.pieces;
}

function writeNode(at: WireWriter, { name, operator, inputs, outputs, attributes }: OnnxNode): void {
  for (const input of inputs) at.text(1, input);
  for (const output of outputs) at.text(2, output);
  at.text(3, name);
  at.text(4, operator);
  for (const [key, value] of attributes) at.message(5, (inner) => writeAttribute(inner, key, value));
}

/** Fields and type numbers of attributes, by their kinds. */
function writeAttribute(at: WireWriter, name: string, { kind, value }: OnnxAttribute): void {
  at.text(1, name);
  if (kind === "float") {
    at.float(2, value);
    at.int(20, 1);
  } else if (kind === "int") {
    at.int(3, value);
    at.int(20, 2);
  } else if (kind === "string") {
    at.text(4, value);
    at.int(20, 3);
  } else if (kind === "floats") {
    for (const one of value) at.float(7, one);
    at.int(20, 6);
  } else if (kind === "ints") {
    for (const one of value) at.int(8, one);
    at.int(20, 7);
  } else throw new TypeError(`attribute "${name}" is of a kind that is not written: ${kind}`);
}

function writeTensor(at: WireWriter, { name, shape, type, raw }: OnnxTensor): void {
  if (raw === undefined) throw new TypeError(`tensor "${name}" has no bytes to write`);
  for (const side of shape) at.int(1, side);
  at.int(2, type);
  at.text(8, name);
  at.raw(9, raw);
}

function writeValue(at: WireWriter, { name, type, shape }: OnnxValue): void {
  at.text(1, name);
  at.message(2, (kind) =>
    kind.message(1, (tensor) => {
      if (type !== undefined) tensor.int(1, type);
      if (shape === undefined) return;
      tensor.message(2, (sides) => {
        for (const side of shape) {
          sides.message(1, (one) => (typeof side === "number" ? one.int(1, side) : one.text(2, side)));
        }
      });
    }),
  );
}
