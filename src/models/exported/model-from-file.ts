import { createHash } from "node:crypto";
import { basename } from "node:path";
import { checkFolderName, checkKind, shownName, sizeOf, unknownName } from "../../base/index.js";
import { type Architecture, checkedChoice, checkFormat } from "../architecture.js";
import {
  type ChannelStatistics,
  type GraphFacts,
  type ImageShape,
  modelFrom,
  numberedClasses,
} from "../model.js";
import { checkModelOptions } from "../model-of.js";
import { firstPass } from "./first-pass.js";
import { type Graph, type GraphNode, withoutSoftmax } from "./graph.js";
import { inFile, readGraphFile } from "./graph-file.js";
import { GraphModule } from "./graph-module.js";
import { isOfBytes, normalizationBy, normalizingPart } from "./normalizes.js";
import { findingsOf, operatorList } from "./notes.js";

/** Facts that an exported model does not tell of itself. */
export interface ModelFromFileOptions {
  /** Name in run folders and reports; that of the file where left out. */
  readonly name?: string | undefined;
  /** Shape of an image; the file's where left out, which says none for models of flat inputs. */
  readonly inputShape?: ImageShape | undefined;
  /** Number of classes, which is checked; the file's where left out. */
  readonly classes?: number | undefined;
  readonly classNames?: readonly string[] | undefined;
  /** Mean and standard deviation that are taken out of images first; none where the model does so itself. */
  readonly normalize?: ChannelStatistics | undefined;
  /**
   * Leaves gradients blocked where operators such as `round` block them; false where left out, which passes
   * them on as if by the identity.
   */
  readonly exactGradients?: boolean | undefined;
}

/** Model of a file, which goes wherever an architecture goes, and what was found in it. */
export interface FileModel extends Architecture {
  /** All findings, the format first. */
  readonly notes: readonly string[];
  /** Findings that can make a figure say other than it seems to. */
  readonly warnings: readonly string[];
}

const optionNames: readonly string[] = [
  "name",
  "inputShape",
  "classes",
  "classNames",
  "normalize",
  "exactGradients",
];

/**
 * Model of an exported file, .pt2 (`torch.export.save`) or ONNX, which goes wherever an architecture goes. No
 * Python is needed, and nothing of the file is executed but operators of an allow-list.
 *
 * @throws FileFormatError for a file that cannot be read or run, with the way to one that can
 * @example
 * const model = await modelFromFile("model.pt2", { normalize: { mean: [0.5], std: [0.25] } });
 * const report = await audit(model, mnist().test, { epsilon: 0.3 });
 */
export async function modelFromFile(file: string, options: ModelFromFileOptions = {}): Promise<FileModel> {
  checkKind("file", file, "the path of a file such as model.pt2", typeof file === "string");
  checkKind("options", options, "an object", typeof options === "object" && options !== null);
  const unknown = Object.keys(options).find((option) => !optionNames.includes(option));
  if (unknown !== undefined) throw unknownName("option of modelFromFile", unknown, optionNames);
  const { exactGradients = false, normalize, classNames } = options;
  checkKind("exactGradients", exactGradients, "true or false", typeof exactGradients === "boolean");
  const name = options.name ?? nameOf(file);
  checkFolderName("name", name);
  const read = readGraphFile(file, options.inputShape);
  const { graph, softmax } = withoutSoftmax(read.graph);
  const inputShape = inFile(file, () => imageShape(graph, options.inputShape));
  const { first, flow } = inFile(file, () => triedOut(graph, inputShape, exactGradients));
  const { classes } = first;
  if (options.classes !== undefined && options.classes !== classes)
    throw new RangeError(`${file}: the model has ${classes} classes, not ${options.classes}`);
  checkModelOptions({ name, inputShape, classes, classNames, normalize });
  const part = normalizingPart(graph);
  const normalizing = part?.operators ?? [];
  const statistics = part && normalizationBy(graph, part, inputShape);
  const ofBytes = statistics !== undefined && isOfBytes(statistics);
  const takesBytes = ofBytes && normalize === undefined;
  const scaled = ofBytes && normalize?.std.every((value) => value < 0.01);
  const normalized = normalize !== undefined && scaled !== true;
  const choices = { softmax, exactGradients, normalizing, normalized, takesBytes, channels: inputShape[0] };
  const findings = findingsOf(read, flow, first, choices);
  const facts: GraphFacts = {
    format: read.format,
    sha256: read.graphSha256,
    operators: read.graph.nodes.length,
    blocked: operatorList([...flow.blocking, ...flow.lost]),
    random: operatorList(flow.random),
    ...(part && { normalization: { operators: normalizing.map(shownName), statistics } }),
  };
  const activations = activationsOf(graph);
  const identity = JSON.stringify([read.sha256, inputShape, normalize ?? null, exactGradients]);
  const hash = createHash("sha256").update(identity).digest("hex");
  const model: FileModel = {
    ...findings,
    name,
    inputShape,
    classes,
    classNames: classNames ?? numberedClasses(classes),
    activations,
    own: { hash, file, sha256: read.sha256 },
    build(choice) {
      const { defenses = [] } = checkedChoice(choice);
      const module = new GraphModule(graph, { exactGradients });
      const parts = {
        name,
        module,
        inputShape,
        classes,
        classNames: this.classNames,
        activations,
        normalize,
      };
      return modelFrom({ ...parts, notes: findings.notes, graph: facts, origin: () => hash }, defenses);
    },
    fittedTo(format, of) {
      checkFormat(name, { inputShape, classes }, format, of);
      if (classNames !== undefined) return model;
      return { ...model, classNames: format.classNames };
    },
    toString: () => name,
    toJSON: () => name,
  };
  return model;
}

/** Name of a model by its file's, in the letters that a folder's may have. */
function nameOf(file: string): string {
  const name = basename(file).replace(/\.\w+$/, "");
  return (
    name
      .replace(/[^A-Za-z0-9_.-]+/g, "-")
      .replace(/^[.-]+/, "")
      .slice(0, 64) || "model"
  );
}

/** Shape of an image: channels, height and width, as the file or its user says. */
function imageShape({ imageSizes }: Graph, given: ImageShape | undefined): ImageShape {
  const shown = `[N, ${imageSizes.join(", ")}]`;
  if (given === undefined) {
    if (imageSizes.length === 3) return imageSizes as unknown as ImageShape;
    throw new RangeError(`it takes images as ${shown}: say inputShape, as [channels, height, width]`);
  }
  const isSame =
    imageSizes.length === 3 ? imageSizes.join() === given.join() : sizeOf(imageSizes) === sizeOf(given);
  if (isSame) return given;
  throw new RangeError(`it takes images as ${shown}, which inputShape [${given.join(", ")}] does not fit`);
}

/** Runs the model once, and frees it. */
function triedOut(graph: Graph, inputShape: ImageShape, exactGradients: boolean) {
  const module = new GraphModule(graph, { exactGradients });
  try {
    return { first: firstPass(module, graph, inputShape), flow: module.flow };
  } finally {
    module.dispose();
  }
}

const isActivation = ({ operator, softmax }: GraphNode) =>
  softmax !== true &&
  /relu|gelu|silu|swish|sigmoid|hardtanh|\.tanh|\belu|mish|Clip$|^FusedConv$/i.test(operator);

/** Places of the paper's two quantizers: after the first two activations. */
function activationsOf({ nodes }: Graph): Record<string, string[]> {
  const [first, second] = nodes.filter(isActivation);
  return {
    ...(first === undefined ? {} : { "first-layer": [first.name] }),
    ...(second === undefined ? {} : { "second-layer": [second.name] }),
  };
}
