import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { FileFormatError, isObject, readTextFile } from "../base/index.js";
import type { Architecture } from "./architecture.js";
import { resnet18, resnet34, resnet50, resnet101 } from "./resnet.js";

/** Model in a folder as Hugging Face's `save_pretrained` writes it. */
export interface HuggingFaceModel {
  readonly architecture: Architecture;
  /** File of its weights. */
  readonly weights: string;
}

/** Its ResNets, with the facts that decide which of ours one is. */
const configSchema = z.object({
  model_type: z.literal("resnet"),
  layer_type: z.enum(["basic", "bottleneck"]),
  depths: z.array(z.int()).length(4),
  hidden_sizes: z.array(z.int()).length(4),
  embedding_size: z.int(),
  hidden_act: z.literal("relu").default("relu"),
  downsample_in_first_stage: z.literal(false).default(false),
  downsample_in_bottleneck: z.literal(false).default(false),
  num_channels: z.int().min(1).max(1024).default(3),
  id2label: z.record(z.string(), z.string()).optional(),
  num_labels: z.int().optional(),
});

const size = z.union([
  z.int(),
  z.object({ height: z.int(), width: z.int() }),
  z.object({ shortest_edge: z.int() }),
]);
const preprocessorSchema = z.object({
  image_mean: z.array(z.number()).optional(),
  image_std: z.array(z.number()).optional(),
  crop_size: size.optional(),
  size: size.optional(),
  crop_pct: z.number().nullish(),
});

const networks = [
  [resnet18, "basic", [2, 2, 2, 2]],
  [resnet34, "basic", [3, 4, 6, 3]],
  [resnet50, "bottleneck", [3, 4, 6, 3]],
  [resnet101, "bottleneck", [3, 4, 23, 3]],
] as const;

/** Tells whether a folder holds a model of Hugging Face's, by its config.json. */
export function isHuggingFaceFolder(folder: string): boolean {
  const file = join(folder, "config.json");
  if (!existsSync(file)) return false;
  try {
    const config: unknown = JSON.parse(readTextFile(file));
    return isObject(config) && ("model_type" in config || "architectures" in config);
  } catch {
    return false;
  }
}

/**
 * Architecture and weights of a folder of Hugging Face's, where the network is one of ours: a ResNet of 18,
 * 34, 50 or 101 layers.
 *
 * @throws FileFormatError that names the file and says what is accepted
 */
export function huggingFaceModel(folder: string): HuggingFaceModel {
  const file = join(folder, "config.json");
  const config = readJson(file);
  const checked = configSchema.safeParse(config);
  const type = isObject(config) ? String(config.model_type) : "none";
  const accepted =
    "accepted: model_type resnet of 18, 34, 50 or 101 layers as Hugging Face defines it. Of another " +
    "network give the weights alone, with --architecture";
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw new FileFormatError(
      `${file}: no network of this package (model_type ${type}; ${issue!.path.join(".")}: ` +
        `${issue!.message}); ${accepted}`,
    );
  }
  const { layer_type, depths, hidden_sizes, embedding_size, num_channels, id2label, num_labels } =
    checked.data;
  const found = networks.find(([, kind, of]) => kind === layer_type && of.join() === depths.join());
  const expansion = layer_type === "bottleneck" ? 4 : 1;
  const widths = [1, 2, 4, 8].map((times) => times * embedding_size * expansion);
  if (found === undefined || widths.join() !== hidden_sizes.join()) {
    const given = `${layer_type}, depths [${depths}], hidden_sizes [${hidden_sizes}]`;
    throw new FileFormatError(`${file}: no network of this package (${given}); ${accepted}`);
  }
  const classes = id2label === undefined ? (num_labels ?? 2) : Object.keys(id2label).length;
  const { mean, std, side } = preprocessing(folder);
  const architecture = found[0]({
    stem: "imagenet",
    inputShape: [num_channels, side, side],
    classes,
    ...(embedding_size === 64 ? {} : { width: embedding_size }),
    ...(mean === undefined || std === undefined ? {} : { mean, std }),
  });
  return { architecture, weights: weightsFile(folder) };
}

/** Statistics and side of the images that preprocessor_config.json tells; 224 pixels where it does not. */
function preprocessing(folder: string) {
  const file = join(folder, "preprocessor_config.json");
  if (!existsSync(file)) return { mean: undefined, std: undefined, side: 224 };
  const checked = preprocessorSchema.safeParse(readJson(file));
  if (!checked.success) throw new FileFormatError(`${file}: ${checked.error.issues[0]!.message}`);
  const { image_mean: mean, image_std: std, crop_size, size: asked } = checked.data;
  const given = crop_size ?? asked ?? 224;
  if (typeof given === "number") return { mean, std, side: given };
  if ("shortest_edge" in given) return { mean, std, side: given.shortest_edge };
  if (given.height === given.width) return { mean, std, side: given.height };
  throw new FileFormatError(`${file}: images of ${given.height} x ${given.width}; accepted: square ones`);
}

function weightsFile(folder: string): string {
  const names = ["model.safetensors", "pytorch_model.bin"];
  const found = names.map((name) => join(folder, name)).find(existsSync);
  if (found === undefined) throw new FileFormatError(`${folder}: has neither ${names.join(" nor ")}`);
  return found;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readTextFile(file));
  } catch (cause) {
    if (cause instanceof FileFormatError) throw cause;
    throw new FileFormatError(`${file}: ${(cause as Error).message}`, { cause });
  }
}
