import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { attacks, fgsm, pgd } from "../../src/attacks/index.js";
import { readConfigFile } from "../../src/cli/frame/config-file.js";
import { cifar10 } from "../../src/datasets/index.js";
import { tensor } from "../../src/engine/index.js";
import {
  readIdx,
  readSafetensors,
  readStoredZip,
  readTar,
  readTorchCheckpoint,
  stateDictOf,
} from "../../src/files/index.js";
import { huggingFaceModel, resnet18, small } from "../../src/models/index.js";
import { parseCall } from "../../src/options/call.js";
import {
  loadWeights,
  RunFolder,
  saveWeights,
  TrainingSession,
  trainConfig,
} from "../../src/training/index.js";
import { loadCheckpoint, saveCheckpoint } from "../../src/training/run/checkpoint.js";
import { readEvents } from "../../src/training/run/event-log.js";
import { readResult } from "../../src/training/run/result-file.js";
import { FolderStore, whiteBox } from "../../src/trials/index.js";
import { cifarFiles } from "../datasets/cifar-files.js";
import { encode, small as tensors } from "../files/safetensors-files.js";
import { zipBytes } from "../files/torch-files.js";
import { digits } from "../training/digits-folder.js";

/** Reader of a format, with whole files of it. A reader throws for a file that it refuses. */
export interface Reader {
  readonly name: string;
  readonly files: readonly Uint8Array[];
  /** Reads bytes that were a whole file, `files[which]`, before they were changed. */
  read(bytes: Uint8Array, which: number): unknown;
}

const golden = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../golden/torch/${name}`, import.meta.url)));

/** Checks that numbers which were read are within what their format promises. */
function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(`WRONG: ${what}`);
}

/** Every reader of files that are not this project's own, or that may have been damaged. */
export function readers(scratch: string): Reader[] {
  const put = (name: string, bytes: Uint8Array | string) => {
    const file = join(scratch, name);
    writeFileSync(file, bytes);
    return file;
  };
  return [
    ...weightReaders(put),
    ...datasetReaders(scratch, put),
    ...runReaders(scratch, put),
    {
      name: "YAML",
      files: [
        "network: large\nsqa: true\nlimit: 1000\nprobes:\n  - fgsm\n  - pgd(steps=10)\n",
        "a: &a [1, 2]\nlimit: *a\n<<: {seed: 3}\n",
      ].map((text) => Buffer.from(text)),
      read(bytes) {
        readConfigFile(put("config.yaml", bytes), ["network", "sqa", "limit", "probes", "seed", "a"]);
        expectThat(!("polluted" in {}), "the prototype of all objects was changed");
      },
    },
    {
      name: "calls",
      files: [
        "pgd(epsilon=8/255, steps=7, norm=l2)",
        "restarts(pgd(epsilon=0.3), times=10)",
        'x("q\\"x", [1, 2])',
      ].map((text) => Buffer.from(text)),
      read: (bytes, which) =>
        which === 2 ? parseCall(bytes.toString()) : String(attacks.parse(bytes.toString())),
    },
  ];
}

type Put = (name: string, bytes: Uint8Array | string) => string;

function weightReaders(put: Put): Reader[] {
  const checkpoints = [
    "state-dict.pt",
    "checkpoint.pt",
    "nested.pt",
    "numpy.pt",
    "averaged.pt",
    "training-2.pt",
    "legacy.pt",
  ].map(golden);
  const whole = checkpoints.slice(0, 5).map((bytes) => [...readStoredZip(bytes, "golden")]);
  const isPickle = (name: string) => name.endsWith("/data.pkl");
  const read = (file: string) => {
    for (const value of stateDictOf(readTorchCheckpoint(file)).tensors.values()) value.toRowMajor();
  };
  const model = small().build({ seed: 1 });
  const place = put("w.safetensors", "");
  saveWeights(place, model.module);
  return [
    {
      name: "safetensors",
      files: [encode(tensors), golden("element-types.safetensors")],
      read: (bytes, which) => readSafetensors(which === 0 ? bytes : put("tensors.safetensors", bytes)),
    },
    { name: ".pt", files: checkpoints, read: (bytes) => read(put("net.pt", bytes)) },
    {
      name: "pickles within .pt",
      files: whole.map((entries) => entries.find(([name]) => isPickle(name))![1]),
      read(bytes, which) {
        const entries = whole[which]!.map(([name, data]) => ({ name, data: isPickle(name) ? bytes : data }));
        read(put("pickle.pt", zipBytes(entries)));
      },
    },
    {
      name: "weights into a model",
      files: [readFileSync(place), golden("state-dict.pt")],
      read: (bytes) => loadWeights(put("own.safetensors", bytes), model.module),
    },
  ];
}

/** A tar archive of two files, from the format's description. */
function tarBytes(): Buffer {
  const entry = (name: string, data: Uint8Array) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(["0000644", "0000000", "0000000", ""].join("\0"), 100);
    header.write(`${data.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write(`${"0".padStart(11, "0")}\0        0`, 136);
    header.write("ustar\u000000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
  };
  return Buffer.concat([
    entry("a/x.bin", new Uint8Array(900).fill(7)),
    entry("a/readme", Buffer.from("hi")),
    Buffer.alloc(1024),
  ]);
}

function datasetReaders(scratch: string, put: Put): Reader[] {
  const images = Buffer.concat([
    Buffer.from([0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 28, 0, 0, 0, 28]),
    new Uint8Array(5 * 784).fill(9),
  ]);
  const labels = Buffer.from([0, 0, 8, 1, 0, 0, 0, 5, 1, 2, 3, 4, 5]);
  const cifar = join(scratch, "cifar");
  mkdirSync(cifar, { recursive: true });
  const batches = cifarFiles({ train: 1, test: 2 });
  for (const [name, bytes] of Object.entries(batches)) writeFileSync(join(cifar, name), bytes);
  const rank = (which: number) => (which % 2 === 0 ? 3 : 1);
  return [
    {
      name: "IDX",
      files: [images, labels, gzipSync(images), gzipSync(labels)],
      read: (bytes, which) => readIdx(put("images.idx", bytes), rank(which)),
    },
    {
      name: "IDX within gzip",
      files: [images, labels],
      read: (bytes, which) => readIdx(put("images.idx.gz", gzipSync(bytes, { level: 1 })), rank(which)),
    },
    {
      name: "CIFAR-10",
      files: [batches["test_batch.bin"]!],
      read(bytes) {
        writeFileSync(join(cifar, "test_batch.bin"), bytes);
        const { labels: found } = cifar10({ folder: cifar, checksums: false }).test;
        expectThat(
          [...found].every((label) => label < 10),
          "a label above 9 was taken",
        );
      },
    },
    {
      name: "tar",
      files: [tarBytes()],
      async read(bytes) {
        const limits = { file: 2 ** 20, total: 2 ** 21 };
        const chunks = Readable.from([bytes.subarray(0, 700), bytes.subarray(700)]);
        for await (const { bytes: file } of readTar(chunks, "a.tar", limits))
          expectThat(file.length <= limits.file, "a file above the limit was taken");
      },
    },
  ];
}

function runReaders(scratch: string, put: Put): Reader[] {
  const data = digits(scratch, { train: 20, test: 10 });
  const config = trainConfig({
    model: "small",
    data,
    epochs: 2,
    batchSize: 10,
    validationAttacks: [],
    averaging: 0.9,
  });
  const session = new TrainingSession(config, "cpu");
  const progress = { step: 0, epochLoss: 0, epochSeconds: 0, seconds: 0 };
  const checkpoint = join(scratch, "checkpoint.safetensors");
  saveCheckpoint(checkpoint, session.state, progress, "0a1b2c3d");
  const epoch = {
    type: "epoch",
    epoch: 1,
    step: 2,
    loss: 1,
    clean: 0.5,
    validation: [{ attack: "fgsm", accuracy: 0.1 }],
    commonestClass: 0.2,
    seconds: 1,
    secondsPerStep: 0.5,
  };
  const result = {
    epochs: 1,
    steps: 2,
    last: epoch,
    alarms: [],
    seconds: 1,
    libtorch: "2",
    threads: 1,
    weightsSha256: "00",
  };
  const run = join(scratch, "run");
  mkdirSync(run, { recursive: true });
  const stored = { model: "small", data: "mnist", epochs: 2, method: "fgsm(epsilon=0.1)", defenses: ["sqa"] };
  return [
    {
      name: "checkpoint.safetensors",
      files: [readFileSync(checkpoint)],
      read: (bytes) => loadCheckpoint(put("checkpoint.safetensors", bytes), session.state, "0a1b2c3d"),
    },
    {
      name: "events.jsonl",
      files: [
        Buffer.from(
          `${JSON.stringify(epoch)}\n${JSON.stringify({ type: "roll-back", epoch: 1, step: 3, to: 1, stepScale: 0.5 })}\n`,
        ),
      ],
      read: (bytes) => readEvents(put("events.jsonl", bytes)),
    },
    {
      name: "config.json",
      files: [Buffer.from(JSON.stringify(stored, null, 2))],
      read(bytes) {
        writeFileSync(join(run, "config.json"), bytes);
        return RunFolder.open(run).config;
      },
    },
    {
      name: "result.json",
      files: [Buffer.from(JSON.stringify(result, null, 2))],
      read(bytes) {
        const found = readResult(put("result.json", bytes))!;
        expectThat(
          typeof found.last.clean === "number" && Array.isArray(found.alarms),
          "no result was taken for one",
        );
      },
    },
    storeReader(scratch),
    huggingFaceReader(scratch),
  ];
}

function storeReader(scratch: string): Reader {
  const trial = whiteBox(pgd());
  const plan = { first: 0, count: 2, draws: 5, shape: [1, 2, 2] } as const;
  const record = {
    count: 2,
    even: [3, 0],
    odd: [2, 1],
    majority: [1, 0],
    evenVote: [1, 0],
    oddVote: [1, 0],
    draws: 5,
    lengths: [0.1, 0.3],
    norm: "linf" as const,
    passes: { forward: 8, backward: 8 },
    seconds: 0.5,
  };
  const store = new FolderStore(join(scratch, "store"));
  store.write(trial, plan, record, tensor(new Float32Array(8).fill(0.5), [2, 1, 2, 2]));
  store.write(whiteBox(fgsm()), plan, record, tensor(new Float32Array(8), [2, 1, 2, 2]));
  const listed = readdirSync(store.folder, { recursive: true, encoding: "utf8" }).map((name) =>
    join(store.folder, name),
  );
  // Of the first trial: its record names it.
  const json = listed.find(
    (name) => name.endsWith(".json") && readFileSync(name, "utf8").includes(trial.id),
  )!;
  const paths = [json, json.replace(/json$/, "safetensors")];
  const whole = paths.map((path) => readFileSync(path));
  return {
    name: "kept trials",
    files: whole,
    read(bytes, which) {
      for (const [i, path] of paths.entries()) writeFileSync(path, i === which ? bytes : whole[i]!);
      const found = store.read(trial, plan);
      expectThat(
        found === undefined || JSON.stringify(found) === JSON.stringify(record),
        "changed numbers were taken",
      );
    },
  };
}

function huggingFaceReader(scratch: string): Reader {
  const place = join(scratch, "hugging");
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "model.safetensors"), "");
  const config = {
    model_type: "resnet",
    layer_type: "basic",
    depths: [2, 2, 2, 2],
    hidden_sizes: [2, 4, 8, 16],
    embedding_size: 2,
    id2label: { 0: "a", 1: "b" },
  };
  return {
    name: "Hugging Face's config.json",
    files: [Buffer.from(JSON.stringify(config))],
    read(bytes) {
      writeFileSync(join(place, "config.json"), bytes);
      const { architecture } = huggingFaceModel(place);
      expectThat(String(architecture).startsWith(resnet18.name), "another network was made");
    },
  };
}
