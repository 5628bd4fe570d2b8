import * as z from "zod";
import { FileFormatError, firstFault, isObject, shownName } from "../../base/index.js";
import { exportAdvice } from "../../files/index.js";
import type { Architecture } from "../architecture.js";
import type { ImageShape } from "../model.js";
import { resnet18, resnet34, resnet50, resnet101 } from "../resnet.js";

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
  do_normalize: z.boolean().nullish(),
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

/** Content of preprocessor_config.json, with the file. */
type Preprocessor = { readonly file: string; readonly content: unknown } | undefined;

/**
 * Network of ours that a config.json of transformers describes.
 *
 * @param instead beginning of the way out for another network
 * @throws FileFormatError that names the file and says what is accepted
 */
export function transformersNetwork(
  file: string,
  config: unknown,
  preprocessor: Preprocessor,
  instead: string,
): Architecture {
  const checked = configSchema.safeParse(config);
  const type = isObject(config) ? shownName(String(config.model_type)) : "none";
  const accepted =
    "accepted: model_type resnet of 18, 34, 50 or 101 layers as Hugging Face defines it. Of another " +
    `network give the weights alone, with --architecture; or ${instead}${exportAdvice}`;
  if (!checked.success) {
    const problem = `model_type ${type}; ${firstFault(checked.error)}`;
    throw new FileFormatError(`${file}: no network of this package (${problem}); ${accepted}`);
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
  const { normalize, side = 224 } = preprocessing(preprocessor);
  return found[0]({
    stem: "imagenet",
    inputShape: [num_channels, side, side],
    classes,
    ...(embedding_size === 64 ? {} : { width: embedding_size }),
    ...normalize,
  });
}

/** Statistics and shape of the images that a folder tells of any network. */
export function transformersImages(config: unknown, preprocessor: Preprocessor) {
  const { normalize, side } = preprocessing(preprocessor);
  const told = isObject(config) ? config.num_channels : undefined;
  const channels = typeof told === "number" ? told : (normalize?.mean.length ?? 3);
  const inputShape: ImageShape | undefined = side === undefined ? undefined : [channels, side, side];
  return { normalize, inputShape };
}

/** Statistics and side of the images that preprocessor_config.json tells. */
function preprocessing(given: Preprocessor): {
  readonly normalize: { mean: number[]; std: number[] } | undefined;
  readonly side: number | undefined;
} {
  if (given === undefined) return { normalize: undefined, side: undefined };
  const { file, content } = given;
  const checked = preprocessorSchema.safeParse(content);
  if (!checked.success) throw new FileFormatError(`${file}: ${firstFault(checked.error)}`);
  const { do_normalize, image_mean: mean, image_std: std, crop_size, size: asked } = checked.data;
  const isNormalized = do_normalize !== false && mean !== undefined && std !== undefined;
  const normalize = isNormalized ? { mean, std } : undefined;
  const told = crop_size ?? asked;
  if (told === undefined || typeof told === "number") return { normalize, side: told };
  if ("shortest_edge" in told) return { normalize, side: told.shortest_edge };
  if (told.height === told.width) return { normalize, side: told.height };
  throw new FileFormatError(`${file}: images of ${told.height} x ${told.width}; accepted: square ones`);
}
