import * as z from "zod";
import { FileFormatError, firstFault, isObject, shownName } from "../../base/index.js";
import { exportAdvice } from "../../files/index.js";
import type { Architecture } from "../architecture.js";
import { inFile } from "../exported/graph-file.js";
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
/** Facts of the images, of which transformers writes some as null. */
const preprocessorSchema = z.object({
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().nullish(),
  rescale_offset: z.boolean().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: z.array(z.number()).min(1).nullish(),
  image_std: z.array(z.number()).min(1).nullish(),
  image_processor_type: z.string().nullish(),
  include_top: z.boolean().nullish(),
  // That of videos, which means something else by version.
  offset: z.literal(false).nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: size.nullish(),
  size: size.nullish(),
});

type PreprocessorFacts = z.infer<typeof preprocessorSchema>;

const networks = [
  [resnet18, "basic", [2, 2, 2, 2]],
  [resnet34, "basic", [3, 4, 6, 3]],
  [resnet50, "bottleneck", [3, 4, 6, 3]],
  [resnet101, "bottleneck", [3, 4, 23, 3]],
] as const;

interface Statistics {
  readonly mean: number[];
  readonly std: number[];
}

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
  const { normalize, side = 224 } = preprocessing(preprocessor, num_channels);
  return inFile(file, () =>
    found[0]({
      stem: "imagenet",
      inputShape: [num_channels, side, side],
      classes,
      ...(embedding_size === 64 ? {} : { width: embedding_size }),
      ...normalize,
    }),
  );
}

/** Statistics and shape of the images that a folder tells of any network. */
export function transformersImages(config: unknown, preprocessor: Preprocessor) {
  const given = isObject(config) ? config.num_channels : undefined;
  const told = z.int().min(1).max(1024).safeParse(given).data;
  const { normalize, side } = preprocessing(preprocessor, told);
  const channels = told ?? normalize?.mean.length ?? 3;
  const inputShape: ImageShape | undefined = side === undefined ? undefined : [channels, side, side];
  return { normalize, inputShape };
}

/** Statistics and side of images of so many channels that preprocessor_config.json tells. */
function preprocessing(
  given: Preprocessor,
  channels: number | undefined,
): { readonly normalize: Statistics | undefined; readonly side: number | undefined } {
  if (given === undefined) return { normalize: undefined, side: undefined };
  const { file, content } = given;
  const checked = preprocessorSchema.safeParse(content);
  if (!checked.success) throw new FileFormatError(`${file}: ${firstFault(checked.error)}`);
  const normalize = normalizationOf(file, checked.data, channels);
  const { do_center_crop, crop_size, size: asked } = checked.data;
  const told = (do_center_crop === false ? undefined : crop_size) ?? asked ?? undefined;
  if (told === undefined || typeof told === "number") return { normalize, side: told };
  if ("shortest_edge" in told) return { normalize, side: told.shortest_edge };
  if (told.height === told.width) return { normalize, side: told.height };
  throw new FileFormatError(`${file}: images of ${told.height} x ${told.width}; accepted: square ones`);
}

/** Number in the digits that float32 has, without what arithmetic in float64 leaves. */
const neat = (value: number) => Number(value.toPrecision(9));

/**
 * Mean and deviation by which pixels in [0, 1] become what a processor of transformers makes of bytes: bytes
 * times a factor, less 1 where it says so, and normalized. Undefined where pixels stay as they are.
 */
function normalizationOf(
  file: string,
  facts: PreprocessorFacts,
  channels: number | undefined,
): Statistics | undefined {
  const { do_rescale, do_normalize, image_mean, image_std } = facts;
  const isRescaled = do_rescale !== false;
  const isShifted = isRescaled && facts.rescale_offset === true;
  const scale = isRescaled ? neat(255 * (facts.rescale_factor ?? 1 / 255)) : 255;
  const statistics = image_mean && image_std ? { mean: image_mean, std: image_std } : undefined;
  if (do_normalize === true && statistics === undefined)
    throw new FileFormatError(`${file}: do_normalize is true; say image_mean and image_std, too`);
  const chosen = do_normalize === false ? undefined : statistics;
  const isOfFloats = chosen?.mean.every((mean) => mean <= 1) && chosen.std.every((std) => std < 1);
  if (!isRescaled && isOfFloats) {
    throw new FileFormatError(
      `${file}: do_rescale is false, so that pixels are 0 to 255, but image_mean (${chosen?.mean}) and ` +
        `image_std (${chosen?.std}) are of pixels in [0, 1]; accepted: do_rescale true, do_normalize ` +
        "false, or statistics of 0 to 255; or give an ONNX file itself, with --normalize",
    );
  }
  // EfficientNet's processor divides by the deviation once more, where it is for a classifier.
  const isOfClassifier = facts.include_top ?? /^EfficientNet/.test(facts.image_processor_type ?? "");
  const isRepeated = isOfClassifier && statistics !== undefined;
  if (scale === 1 && !isShifted && !isRepeated) return chosen;
  const count = channels ?? statistics?.mean.length ?? 3;
  const { mean, std } = chosen ?? { mean: Array<number>(count).fill(0), std: Array<number>(count).fill(1) };
  const again = isRepeated ? statistics.std : [];
  return {
    mean: mean.map((one) => neat((one + (isShifted ? 1 : 0)) / scale)),
    std: std.map((one, c) => neat((one / scale) * (again[c] ?? 1))),
  };
}
