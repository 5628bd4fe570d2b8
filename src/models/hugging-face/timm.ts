import * as z from "zod";
import { FileFormatError, firstFault, shownName } from "../../base/index.js";
import { exportAdvice } from "../../files/index.js";
import type { Architecture } from "../architecture.js";
import { inFile } from "../exported/graph-file.js";
import type { ChannelStatistics, ImageShape } from "../model.js";
import { resnet18, resnet34, resnet50, resnet101 } from "../resnet.js";
import { statisticsOf } from "../statistics-text.js";

type Config = Readonly<Record<string, unknown>>;

const imagenet = statisticsOf("imagenet")!;

/** Facts of the images, with timm's own values where a file leaves them out. */
const imagesSchema = z.object({
  input_size: z.tuple([z.int().min(1), z.int().min(1), z.int().min(1)]).default([3, 224, 224]),
  mean: z.array(z.number()).default([...imagenet.mean]),
  std: z.array(z.number()).default([...imagenet.std]),
  num_classes: z.int().optional(),
});

/** Arguments of the network that leave its function as it is, once it is trained. */
const argumentsSchema = z.strictObject({
  in_chans: z.int().min(1).optional(),
  num_classes: z.int().optional(),
  global_pool: z.literal("avg").optional(),
  zero_init_last: z.unknown().optional(),
  drop_rate: z.unknown().optional(),
  drop_path_rate: z.unknown().optional(),
  drop_block_rate: z.unknown().optional(),
});

const configSchema = z.object({
  num_classes: z.int().optional(),
  global_pool: z.literal("avg").optional(),
  model_args: argumentsSchema.default({}),
});

/** Networks whose weights timm gives the names and the meaning of torchvision's. */
const networks = { resnet18, resnet34, resnet50, resnet101 };

/** Tells a config.json of timm's, also one that transformers wrote of it, or of before 0.9. */
export function isTimmConfig(config: Config): boolean {
  const isNamed = typeof config.architecture === "string";
  return isNamed && ["pretrained_cfg", "num_features", "input_size"].some((field) => field in config);
}

/**
 * Network of ours that a config.json of timm describes.
 *
 * @param instead beginning of the way out for another network
 * @throws FileFormatError that names the file and says what is accepted
 */
export function timmNetwork(file: string, config: Config, instead: string): Architecture {
  const name = String(config.architecture);
  const accepted =
    `accepted: ${Object.keys(networks).join(", ")} of timm. Of another network give the weights alone, ` +
    `with --architecture; or ${instead}${exportAdvice}`;
  // A tag names the weights, as in resnet18.a1_in1k.
  const plain = name.split(".")[0]!;
  if (!Object.hasOwn(networks, plain)) {
    throw new FileFormatError(
      `${file}: no network of this package (architecture ${shownName(name)}); ${accepted}`,
    );
  }
  const checked = configSchema.safeParse(config);
  if (!checked.success) {
    const problem = `architecture ${shownName(name)}; ${firstFault(checked.error)}`;
    throw new FileFormatError(`${file}: no network of this package (${problem}); ${accepted}`);
  }
  const { num_classes, model_args } = checked.data;
  const images = imagesOf(file, config);
  const [channels, height, width] = images.input_size;
  const { mean, std } = images;
  return inFile(file, () =>
    networks[plain as keyof typeof networks]({
      stem: "imagenet",
      inputShape: [model_args.in_chans ?? channels, height, width],
      classes: num_classes ?? images.num_classes ?? 1000,
      mean,
      std,
    }),
  );
}

/** Statistics and shape of the images of any network of timm's. */
export function timmImages(file: string, config: Config) {
  const { mean, std, input_size } = imagesOf(file, config);
  const normalize: ChannelStatistics = { mean, std };
  const inputShape: ImageShape = input_size;
  return { normalize, inputShape };
}

/** Facts of pretrained_cfg, which stood beside the architecture before timm 0.9. */
function imagesOf(file: string, config: Config): z.infer<typeof imagesSchema> {
  const checked = imagesSchema.safeParse(config.pretrained_cfg ?? config);
  if (checked.success) return checked.data;
  throw new FileFormatError(`${file}: pretrained_cfg: ${firstFault(checked.error)}`);
}
