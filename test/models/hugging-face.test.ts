import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { FileFormatError } from "../../src/base/index.js";
import { huggingFaceModel, huggingFaceOnnx, isHuggingFaceFolder } from "../../src/models/index.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-hugging-face-"));
afterAll(() => rmSync(folder, { recursive: true }));

let folders = 0;

/** Folder with files: objects are written as JSON. */
function folderOf(files: Readonly<Record<string, object | string>>): string {
  const place = join(folder, `${folders++}`);
  mkdirSync(join(place, "onnx"), { recursive: true });
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(place, name), typeof content === "string" ? content : JSON.stringify(content));
  return place;
}

/** Configuration that timm 1.0.29 writes for `create_model("resnet18", num_classes=3)`. */
const timm = {
  architecture: "resnet18",
  num_classes: 3,
  num_features: 512,
  pretrained_cfg: {
    tag: "a1_in1k",
    custom_load: false,
    input_size: [3, 224, 224],
    test_input_size: [3, 288, 288],
    fixed_input_size: false,
    interpolation: "bicubic",
    crop_pct: 0.95,
    mean: [0.4914, 0.4822, 0.4465],
    std: [0.247, 0.243, 0.261],
    num_classes: 1000,
    pool_size: [7, 7],
    first_conv: "conv1",
    classifier: "fc",
  },
};
const statistics = "mean=[0.4914, 0.4822, 0.4465], std=[0.247, 0.243, 0.261], stem=imagenet";
const weights = { "model.safetensors": "" };

const modelOf = (config: object, more: Readonly<Record<string, object | string>> = weights) =>
  huggingFaceModel(folderOf({ "config.json": config, ...more }));

describe("a folder of timm's", () => {
  it.each(["resnet18", "resnet34", "resnet50", "resnet101"])("is read where it holds %s", (architecture) => {
    const place = folderOf({ "config.json": { ...timm, architecture }, ...weights });
    expect(isHuggingFaceFolder(place)).toBe(true);
    const found = huggingFaceModel(place);
    expect(String(found.architecture)).toBe(
      `${architecture}(inputShape=[3, 224, 224], classes=3, ${statistics})`,
    );
    expect(found.weights).toBe(join(place, "model.safetensors"));
  });

  it.each([
    ["with a tag", { ...timm, architecture: "resnet18.a1_in1k" }, "3, 224, 224], classes=3"],
    ["of before 0.9", { ...timm.pretrained_cfg, architecture: "resnet18" }, "3, 224, 224], classes=1000"],
    [
      "that transformers wrote",
      { ...timm, model_type: "timm_wrapper", architectures: ["TimmWrapperForImageClassification"] },
      "3, 224, 224], classes=3",
    ],
    [
      "of gray images",
      {
        ...timm,
        model_args: { in_chans: 1 },
        pretrained_cfg: { input_size: [3, 64, 32], mean: [0.5], std: [0.25] },
      },
      "1, 64, 32], classes=3, mean=[0.5], std=[0.25]",
    ],
    [
      "that leaves out what timm adds",
      { ...timm, pretrained_cfg: {} },
      "3, 224, 224], classes=3, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]",
    ],
  ])("is read %s", (_, config, expected) => {
    expect(String(modelOf(config).architecture)).toContain(`resnet18(inputShape=[${expected}`);
  });

  it.each([
    ["resnet18d", { ...timm, architecture: "resnet18d" }, "(architecture resnet18d); accepted: resnet18,"],
    [
      "another network",
      { ...timm, architecture: "vit_tiny" },
      "or export the model in Python, once:\n  import",
    ],
    ["a field of objects", { ...timm, architecture: "toString" }, "(architecture toString)"],
    [
      "arguments that change the network",
      { ...timm, model_args: { output_stride: 8 } },
      'resnet18; model_args: Unrecognized key: "output_stride"); accepted',
    ],
    ["another pooling", { ...timm, global_pool: "max" }, "resnet18; global_pool: "],
    ["no classes", { ...timm, num_classes: 0 }, "classes"],
    ["sides of zero", { ...timm, pretrained_cfg: { input_size: [3, 0, 0] } }, "pretrained_cfg: input_size.1"],
    ["statistics of other channels", { ...timm, pretrained_cfg: { mean: [0.5], std: [0.5] } }, "mean"],
  ])("is refused with %s, by its config.json", (_, config, message) => {
    expect(() => modelOf(config)).toThrow(FileFormatError);
    expect(() => modelOf(config)).toThrow(message);
    expect(() => modelOf(config)).toThrow("config.json: ");
  });

  it("is none where config.json is a run's, or says nothing of a network", () => {
    for (const config of [{ model: "resnet18", data: "mnist" }, { architecture: "resnet18" }, {}])
      expect(isHuggingFaceFolder(folderOf({ "config.json": config }))).toBe(false);
    expect(isHuggingFaceFolder(folderOf({}))).toBe(false);
  });
});

describe("a folder of transformers'", () => {
  it("is refused by its config.json where its images have another number of channels", () => {
    const network = { model_type: "resnet", layer_type: "basic", depths: [2, 2, 2, 2] };
    const config = { ...network, hidden_sizes: [64, 128, 256, 512], embedding_size: 64, num_channels: 1 };
    const preprocessor = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
    const files = { ...weights, "preprocessor_config.json": preprocessor };
    expect(() => modelOf(config, files)).toThrow(FileFormatError);
    expect(() => modelOf(config, files)).toThrow(/config\.json: .*mean/);
  });
});

describe("an ONNX file in a folder", () => {
  const preprocessor = {
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.25, 0.25, 0.25],
    size: { height: 32, width: 32 },
  };
  const vit = { "config.json": { model_type: "vit" } };
  const onnx = { "onnx/model.onnx": "" };

  it("is found with the normalization and the size that the folder tells", () => {
    const place = folderOf({ ...vit, ...onnx, "preprocessor_config.json": preprocessor });
    expect(huggingFaceOnnx(place)).toEqual({
      file: join(place, "onnx/model.onnx"),
      normalize: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
      inputShape: [3, 32, 32],
    });
    const plain = { ...preprocessor, do_normalize: false };
    const unchanged = huggingFaceOnnx(folderOf({ ...vit, ...onnx, "preprocessor_config.json": plain }));
    expect(unchanged).toMatchObject({ normalize: undefined, inputShape: [3, 32, 32] });
    const { mean, std } = timm.pretrained_cfg;
    expect(huggingFaceOnnx(folderOf({ "config.json": timm, "model.onnx": "" }))).toMatchObject({
      normalize: { mean, std },
      inputShape: [3, 224, 224],
    });
  });

  const half = { image_mean: [0.5, 0.5, 0.5], image_std: [0.25, 0.25, 0.25] };
  const thrice = (value: number) => [value, value, value];
  it.each<[string, object, object | undefined]>([
    ["by 1/255, to floats", { do_rescale: true, rescale_factor: 0.00392156862745098, ...half }, undefined],
    [
      "by 1/127.5, less 1",
      { rescale_factor: 0.00784313725490196, rescale_offset: true, ...half },
      { mean: thrice(0.75), std: thrice(0.125) },
    ],
    [
      "by 1/127.5 less 1 and no more",
      { rescale_factor: 1 / 127.5, rescale_offset: true, do_normalize: false, ...half },
      { mean: thrice(0.5), std: thrice(0.5) },
    ],
    ["to bytes", { do_rescale: false, do_normalize: false }, { mean: thrice(0), std: thrice(0.00392156863) }],
    [
      "to bytes, less a mean of bytes",
      { do_rescale: false, image_mean: thrice(127.5), image_std: thrice(51) },
      { mean: thrice(0.5), std: thrice(0.2) },
    ],
    [
      "to bytes, which the deviation takes back",
      { do_rescale: false, image_mean: thrice(0), image_std: thrice(255) },
      { mean: thrice(0), std: thrice(1) },
    ],
    ["twice", { include_top: true, ...half }, { mean: thrice(0.5), std: thrice(0.0625) }],
    [
      "as EfficientNet's processor does",
      { image_processor_type: "EfficientNetImageProcessor", ...half },
      { mean: thrice(0.5), std: thrice(0.0625) },
    ],
    [
      "of a size that no crop changes",
      { do_center_crop: false, crop_size: { height: 9, width: 9 }, ...half },
      undefined,
    ],
  ])("is normalized as pixels are rescaled: %s", (_, given, expected) => {
    const content = { size: 32, crop_size: null, ...given };
    const place = folderOf({ ...vit, ...onnx, "preprocessor_config.json": content });
    const normalize = expected ?? { mean: half.image_mean, std: half.image_std };
    expect(huggingFaceOnnx(place)).toMatchObject({ normalize, inputShape: [3, 32, 32] });
  });

  it.each([
    [
      "bytes with a mean of floats",
      { do_rescale: false, ...half },
      "do_rescale is false, so that pixels are",
    ],
    ["statistics that are not told", { do_normalize: true }, "do_normalize is true; say image_mean and"],
    ["a factor of zero", { rescale_factor: 0 }, "rescale_factor"],
    ["an offset of videos", { offset: true, ...half }, "offset"],
  ])("is refused with %s", (_, content, message) => {
    const place = folderOf({ ...vit, ...onnx, "preprocessor_config.json": content });
    expect(() => huggingFaceOnnx(place)).toThrow(FileFormatError);
    expect(() => huggingFaceOnnx(place)).toThrow(message);
    expect(() => huggingFaceOnnx(place)).toThrow("preprocessor_config.json: ");
  });

  it("is found alone", () => {
    const place = folderOf({ "model.onnx": "" });
    expect(isHuggingFaceFolder(place)).toBe(true);
    expect(huggingFaceOnnx(place)).toEqual({
      file: join(place, "model.onnx"),
      normalize: undefined,
      inputShape: undefined,
    });
    expect(() => huggingFaceModel(place)).toThrow("has no config.json; give ");
  });

  it("is left where weights are beside it, and named where these are no network's of ours", () => {
    expect(huggingFaceOnnx(folderOf({ "config.json": timm, ...onnx, ...weights }))).toBeUndefined();
    for (const config of [vit["config.json"], { ...timm, architecture: "vit_tiny" }]) {
      const message = /or give .*onnx\/model\.onnx, with --normalize, or export the model in Python/;
      expect(() => modelOf(config, { ...onnx, ...weights })).toThrow(message);
    }
    expect(() => modelOf(timm, {})).toThrow("neither model.safetensors nor pytorch_model.bin; export the");
  });
});
