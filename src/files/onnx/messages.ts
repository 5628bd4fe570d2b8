import type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor, OnnxValue } from "./proto.js";
import { parseTensor } from "./tensor-message.js";
import { budgetFor, utf8, Wire } from "./wire.js";

/** Limits of a graph; the largest networks of the field have some thousand nodes. */
const mostNodes = 100_000;

/**
 * Reads the bytes of an ONNX file: every count and length is checked against the bytes before it is used,
 * and tensors stay views of them.
 *
 * Source: the messages of `onnx.proto` (ONNX, IR version 10), by their numbers.
 *
 * @throws FileFormatError that begins with `file`
 */
export function parseOnnx(bytes: Uint8Array, file: string): OnnxModel {
  const wire = new Wire(bytes, budgetFor(file));
  const opsets = new Map<string, number>();
  const functions: string[] = [];
  let graph: OnnxGraph | undefined;
  let [irVersion, producer] = [0, ""];
  while (wire.next()) {
    if (wire.field === 1) irVersion = wire.int();
    else if (wire.field === 2) producer = wire.text();
    else if (wire.field === 3) producer += ` ${wire.text()}`;
    else if (wire.field === 7) {
      if (graph !== undefined) throw wire.refuse("it holds two graphs");
      graph = parseGraph(wire.message());
    } else if (wire.field === 8) {
      const [domain, version] = parseOpset(wire.message());
      opsets.set(domain, version);
    } else if (wire.field === 25) functions.push(parseFunctionName(wire.message()));
    else wire.skip();
  }
  if (graph === undefined || irVersion < 1 || irVersion > 1000) {
    throw wire.refuse("not an ONNX model: it has no graph, or no version of its format");
  }
  return { irVersion, producer: producer.trim(), opsets, graph, functions };
}

/** The domain of ONNX itself has two names. */
function domainName(text: string): string {
  return text === "ai.onnx" ? "" : text;
}

function parseOpset(wire: Wire): [string, number] {
  let [domain, version] = ["", 0];
  while (wire.next()) {
    if (wire.field === 1) domain = wire.text();
    else if (wire.field === 2) version = wire.int();
    else wire.skip();
  }
  return [domainName(domain), version];
}

function parseFunctionName(wire: Wire): string {
  let [name, domain] = ["", ""];
  while (wire.next()) {
    if (wire.field === 1) name = wire.text();
    else if (wire.field === 10) domain = wire.text();
    else wire.skip();
  }
  return `${domainName(domain)}.${name}`;
}

function parseGraph(wire: Wire): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  while (wire.next()) {
    if (wire.field === 1) {
      if (nodes.length === mostNodes) throw wire.refuse(`it has more than ${mostNodes} nodes`);
      nodes.push(parseNode(wire.message()));
    } else if (wire.field === 5) initializers.push(parseTensor(wire.message()));
    else if (wire.field === 11) inputs.push(parseValue(wire.message()));
    else if (wire.field === 12) outputs.push(parseValue(wire.message()));
    else if (wire.field === 15)
      throw wire.refuse("it has sparse weights, which are not read: make them dense");
    else wire.skip();
  }
  return { nodes, initializers, inputs, outputs };
}

function parseNode(wire: Wire): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  let [name, operator, domain] = ["", "", ""];
  while (wire.next()) {
    if (wire.field === 1) inputs.push(wire.text());
    else if (wire.field === 2) outputs.push(wire.text());
    else if (wire.field === 3) name = wire.text();
    else if (wire.field === 4) operator = wire.text();
    else if (wire.field === 5) {
      const [key, value] = parseAttribute(wire.message());
      if (attributes.has(key)) throw wire.refuse(`a node has the attribute "${key}" twice`);
      attributes.set(key, value);
    } else if (wire.field === 7) domain = domainName(wire.text());
    else wire.skip();
  }
  return { name, operator, domain, inputs, outputs, attributes };
}

/** Fields of an attribute that hold its value, by the number of its type. */
const attributeKinds = [
  "other",
  "float",
  "int",
  "string",
  "tensor",
  "other",
  "floats",
  "ints",
  "strings",
] as const;

function parseAttribute(wire: Wire): [string, OnnxAttribute] {
  let [name, type] = ["", 0];
  let [float, int] = [0, 0];
  let string: Uint8Array = new Uint8Array();
  let tensor: OnnxTensor | undefined;
  const [floats, ints, strings]: [number[], number[], string[]] = [[], [], []];
  while (wire.next()) {
    if (wire.field === 1) name = wire.text();
    else if (wire.field === 2) float = wire.float();
    else if (wire.field === 3) int = wire.int();
    else if (wire.field === 4) string = wire.raw();
    else if (wire.field === 5) tensor = parseTensor(wire.message());
    else if (wire.field === 7) wire.floatsInto(floats);
    else if (wire.field === 8) wire.intsInto(ints);
    else if (wire.field === 9) strings.push(wire.text());
    else if (wire.field === 20) type = wire.int();
    else wire.skip();
  }
  const kind = attributeKinds[type] ?? "other";
  if (kind === "float") return [name, { kind, value: float }];
  if (kind === "int") return [name, { kind, value: int }];
  if (kind === "string") return [name, { kind, value: utf8(string, wire) }];
  if (kind === "floats") return [name, { kind, value: floats }];
  if (kind === "ints") return [name, { kind, value: ints }];
  if (kind === "strings") return [name, { kind, value: strings }];
  if (kind === "tensor" && tensor !== undefined) return [name, { kind, value: tensor }];
  return [name, { kind: "other", value: undefined }];
}

function parseValue(wire: Wire): OnnxValue {
  let name = "";
  let type: number | undefined;
  let shape: (number | string)[] | undefined;
  while (wire.next()) {
    if (wire.field === 1) name = wire.text();
    else if (wire.field === 2) {
      const kind = wire.message();
      while (kind.next()) {
        if (kind.field === 1) [type, shape] = parseTensorType(kind.message());
        else kind.skip();
      }
    } else wire.skip();
  }
  return { name, type, shape };
}

function parseTensorType(wire: Wire): [number, (number | string)[] | undefined] {
  let type = 0;
  let shape: (number | string)[] | undefined;
  while (wire.next()) {
    if (wire.field === 1) type = wire.int();
    else if (wire.field === 2) {
      shape = [];
      const sides = wire.message();
      while (sides.next()) {
        if (sides.field === 1) shape.push(parseSide(sides.message()));
        else sides.skip();
      }
    } else wire.skip();
  }
  return [type, shape];
}

function parseSide(wire: Wire): number | string {
  let side: number | string = "?";
  while (wire.next()) {
    if (wire.field === 1) side = wire.int();
    else if (wire.field === 2) side = wire.text();
    else wire.skip();
  }
  return side;
}
