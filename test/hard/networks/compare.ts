// Runs the networks of export_networks.py in every form, and compares logits and gradients with PyTorch's:
//
//     npx tsx test/hard/networks/compare.ts FOLDER [results/exported-networks]
//
// Differences are shares of the largest number. In float64 the same graph has weights and images of float64,
// which tells what rounding does from other arithmetic. RESULT.json and RESULT.md are written where named,
// after each network; networks that are in RESULT.json already are not run again. Differences beyond those of
// limits.ts are said at the end, and the exit code is 1.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  grad,
  imageIdRange,
  scope,
  setThreads,
  type Tensor,
  tensor,
  versions,
} from "../../../src/engine/index.js";
import { npyNumbers, openNpy } from "../../../src/files/index.js";
import type { Graph } from "../../../src/models/exported/graph.js";
import { readGraphFile } from "../../../src/models/exported/graph-file.js";
import { GraphModule } from "../../../src/models/exported/graph-module.js";
import { crossEntropy } from "../../../src/nn/index.js";
import { type Differences, faultsOf, type NetworkRow } from "./limits.js";
import { Sides } from "./sides.js";

type Numbers = ArrayLike<number>;

/** Logits and gradient of a form, or what PyTorch has. */
interface Outcome {
  readonly logits: Numbers;
  readonly gradient: Numbers;
}

function numpy(file: string): { readonly numbers: Float64Array; readonly shape: readonly number[] } {
  const bytes = readFileSync(file);
  const array = openNpy({
    name: file,
    size: bytes.length,
    read: (first, count) => bytes.subarray(first, first + count),
  });
  return { numbers: npyNumbers(array), shape: array.shape };
}

/** The graph with weights and images of float64. */
function inDouble(graph: Graph): Graph {
  const weights = graph.weights.map((weight) => ({
    ...weight,
    make() {
      const made = weight.make();
      return /float/.test(made.dtype) ? made.to("float64") : made;
    },
  }));
  return { ...graph, weights, imageType: "float64" };
}

function outcomeOf(graph: Graph, pixels: ReturnType<typeof numpy>): Outcome {
  const module = new GraphModule(graph, { exactGradients: true });
  try {
    return scope(() => {
      const images = tensor(Float32Array.from(pixels.numbers), pixels.shape).requireGrad();
      const noise = { seed: { low: 0, high: 0 }, draw: 0, imageIds: imageIdRange(0, 2) };
      const logits = module.apply(images, { training: false, noise });
      const [gradient] = grad(crossEntropy(logits, tensor([0, 1], [2], "int64")).sum(), [images]);
      const numbers = (of: Tensor) => of.to("float64").toArray() as Float64Array;
      return { logits: numbers(logits), gradient: numbers(gradient!) };
    });
  } finally {
    module.dispose();
  }
}

function difference(found: Numbers, wanted: Numbers): number {
  if (found.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let [largest, most] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    largest = Math.max(largest, Math.abs(wanted[i]!));
    most = Math.max(most, Math.abs(found[i]! - wanted[i]!));
  }
  return Number.isFinite(most) ? most / largest : Number.POSITIVE_INFINITY;
}

const differences = (found: Outcome, wanted: Outcome): Differences => ({
  logits: difference(found.logits, wanted.logits),
  gradient: difference(found.gradient, wanted.gradient),
});

function rowOf(folder: string, network: string): NetworkRow {
  const at = (ending: string) => join(folder, `${network}.${ending}`);
  const pixels = numpy(at("images.npy"));
  const stored = (bits: string): Outcome => ({
    logits: numpy(at(`logits${bits}.npy`)).numbers,
    gradient: numpy(at(`gradient${bits}.npy`)).numbers,
  });
  const [single, double] = [stored(""), stored("64")];
  for (const numbers of Object.values(double))
    if (Array.from(numbers).every((value) => value === 0)) throw new Error(`${at("*64.npy")}: all are 0`);
  const run = (ending: string, change: (graph: Graph) => Graph | undefined = (graph) => graph) => {
    const graph = existsSync(at(ending)) ? change(readGraphFile(at(ending)).graph) : undefined;
    return graph && outcomeOf(graph, pixels);
  };
  const from = (found: Outcome | undefined, wanted: Outcome) => found && differences(found, wanted);
  const row: Record<string, unknown> = { network, rounding: differences(single, double) };
  const sides = new Sides();
  try {
    const onnx = run("onnx");
    run("pt2", (graph) => sides.noted(inDouble(graph)));
    const sameSides = run("onnx", (graph) => sides.taken(inDouble(graph)));
    Object.assign(row, {
      static: from(run("pt2"), single),
      free: from(run("free.pt2"), single),
      onnx: from(onnx, single),
      onnxRounding: from(onnx, double),
      onnxExact: from(run("onnx", inDouble), double),
      onnxSameSides: from(sameSides, double),
    });
  } catch (error) {
    row.refused = error instanceof Error ? error.message.slice(0, 200) : String(error);
  } finally {
    sides.dispose();
  }
  return row as unknown as NetworkRow;
}

/** Names of networks in the order in which export_networks.py has them. */
const listed = /NETWORKS = """([^"]+)"""/
  .exec(readFileSync(new URL("export_networks.py", import.meta.url), "utf8"))![1]!
  .split(/\s+/)
  .map((name) => name.replace("/", "-"));

const inOrder = (a: string, b: string) => listed.indexOf(a) - listed.indexOf(b);

/** Networks whose files are all there: the gradient in float64 is written last. */
function networksIn(folder: string): string[] {
  return readdirSync(folder)
    .flatMap((name) => (name.endsWith(".gradient64.npy") ? [name.slice(0, -".gradient64.npy".length)] : []))
    .sort(inOrder);
}

const shown = (value: number | undefined) =>
  value === undefined ? "-" : value === 0 ? "0" : value.toExponential(1);

const forms = ["static", "free", "onnx", "rounding", "onnxExact", "onnxSameSides"] as const;
const heads = [".pt2", ".pt2, free batch", "ONNX", "float32", "ONNX, float64", "ONNX, same sides"];

function tableOf(rows: readonly NetworkRow[]): string {
  const lines = rows.map((row) => [
    row.network,
    ...forms.map((form) => `${shown(row[form]?.logits)} / ${shown(row[form]?.gradient)}`),
  ]);
  return [["network", ...heads], heads.concat("").map(() => "---"), ...lines]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

const [folder, out] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: npx tsx test/hard/networks/compare.ts FOLDER [RESULT]");
setThreads(1);
const json = out === undefined ? undefined : `${out}.json`;
const rows: NetworkRow[] = [];
if (json !== undefined && existsSync(json))
  rows.push(...(JSON.parse(readFileSync(json, "utf8")).rows as NetworkRow[]));
for (const network of networksIn(folder)) {
  if (rows.some((row) => row.network === network)) continue;
  const row = rowOf(folder, network);
  process.stdout.write(`${JSON.stringify(row)}\n`);
  rows.push(row);
  rows.sort((a, b) => inOrder(a.network, b.network));
  if (json === undefined) continue;
  writeFileSync(json, `${JSON.stringify({ libtorch: versions().libtorch, rows }, null, 1)}\n`);
  const head = readFileSync(new URL("head.md", import.meta.url), "utf8");
  const missing = listed.length - rows.length;
  const count = missing > 0 ? `\n${rows.length} of the ${listed.length} networks have been compared.\n` : "";
  writeFileSync(`${out}.md`, `${head}${count}\n${tableOf(rows)}\n`);
}
process.stdout.write(`${tableOf(rows)}\n`);
const faults = rows.flatMap(faultsOf);
if (rows.length === 0) faults.push(`${folder} holds no network of export_networks.py`);
for (const fault of faults) process.stderr.write(`${fault}\n`);
if (faults.length > 0) process.exitCode = 1;
