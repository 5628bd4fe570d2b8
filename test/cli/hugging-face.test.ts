import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.js";
import { resnet18 } from "../../src/models/index.js";
import { saveWeights } from "../../src/training/index.js";
import { onnxFile } from "../models/exported/onnx/fixtures.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-cli-hugging-face-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function sqa(...words: string[]) {
  using captured = captureOutput();
  const code = await main(words);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

const write = (place: string, name: string, content: object) =>
  writeFileSync(join(place, name), JSON.stringify(content));

describe("a folder of Hugging Face's at the command line", { timeout: 120_000 }, () => {
  it("is evaluated by its ONNX file where it has no weights, normalized as it tells", async () => {
    const place = join(folder, "digits");
    mkdirSync(join(place, "onnx"), { recursive: true });
    copyFileSync(onnxFile("mnist"), join(place, "onnx", "model.onnx"));
    write(place, "config.json", { model_type: "vit", num_channels: 1 });
    write(place, "preprocessor_config.json", { image_mean: [0.25], image_std: [2], size: 28 });
    const on = ["--images", "mnist", "--limit", "40", "--json"];
    const [own, file, plain] = [
      await sqa("evaluate", place, ...on),
      await sqa("evaluate", onnxFile("mnist"), "--normalize", "0.25/2", ...on),
      await sqa("evaluate", onnxFile("mnist"), ...on),
    ];
    expect([own.code, own.err]).toEqual([
      0,
      expect.stringContaining("model.onnx, opened with --normalize 0.25/2\n"),
    ]);
    const clean = ({ out }: { out: string }) => (JSON.parse(out) as { clean: object }).clean;
    expect(clean(own)).toEqual(clean(file));
    expect(clean(own)).not.toEqual(clean(plain));
  });

  it("says so where nothing is normalized", async () => {
    const place = join(folder, "plain");
    mkdirSync(place);
    copyFileSync(onnxFile("mnist"), join(place, "model.onnx"));
    const { code, err } = await sqa("evaluate", place, "--images", "mnist", "--limit", "2");
    expect([code, err]).toEqual([
      0,
      expect.stringContaining(
        "model.onnx, opened without --normalize: the folder tells no mean and deviation",
      ),
    ]);
  });

  it("is trained on, where its network is one of the package's", async () => {
    const place = join(folder, "resnet");
    mkdirSync(place);
    const network = { layer_type: "basic", depths: [2, 2, 2, 2], hidden_sizes: [2, 4, 8, 16] };
    const sizes = { embedding_size: 2, num_channels: 1, num_labels: 10 };
    write(place, "config.json", { model_type: "resnet", ...network, ...sizes });
    write(place, "preprocessor_config.json", { image_mean: [0.5], image_std: [0.5], size: 28 });
    const given = resnet18({ width: 2, stem: "imagenet", inputShape: [1, 28, 28] });
    saveWeights(join(place, "model.safetensors"), given.build({ seed: 3 }).module);
    const method = ["--method", "standard", "--epochs", "1", "--limit", "64", "--batch-size", "32"];
    const runs = join(folder, "runs");
    const quiet = ["--validation-attack", "none", "--no-tensorboard"];
    const trained = await sqa(
      "train",
      "--model",
      place,
      "--images",
      "mnist",
      ...method,
      "--runs",
      runs,
      ...quiet,
    );
    expect(trained.code, trained.err).toBe(0);
    expect(trained.err).toContain(
      `${place}: resnet18(inputShape=[1, 28, 28], classes=10, mean=[0.5], std=[0.5]`,
    );
    for (const [flag, message] of [
      [
        ["--normalize", "0.5/0.25"],
        `--normalize is for exported models (.pt2, .onnx); ${place} tells its own`,
      ],
      [["--exact-gradients"], `--exact-gradients is for exported models (.pt2, .onnx); ${place} has exact`],
    ] as const) {
      for (const command of [
        ["evaluate", place],
        ["train", "--model", place, ...method, "--runs", runs],
      ]) {
        const { code, err } = await sqa(...command, "--images", "mnist", ...flag);
        expect([code, err], command.join(" ")).toEqual([64, expect.stringContaining(message)]);
      }
    }
    const config = readFileSync(join(runs, readdirSync(runs)[0]!, "config.json"), "utf8");
    expect(JSON.parse(config)).toMatchObject({ initialWeights: { file: join(place, "model.safetensors") } });
  });

  it("is refused in one sentence, with the way out", async () => {
    const place = join(folder, "timm");
    mkdirSync(place);
    write(place, "config.json", { architecture: "vit_tiny_patch16_224", pretrained_cfg: {} });
    const { code, err } = await sqa("evaluate", place, "--images", "mnist");
    expect([code, err]).toEqual([
      65,
      expect.stringContaining("or export the model in Python, once:\n  import"),
    ]);
  });
});
