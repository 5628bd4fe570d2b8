import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "../shared/child.js";
import { machineNow } from "../shared/machine.js";
import { publish, runProgram, tell } from "../shared/program.js";
import { type BenchModelName, benchModels, ourForms, peerForms } from "./models.js";
import { type ExportedOptions, exportedOptions, exportedUsage } from "./options.js";
import { type ExportedResult, exportedMarkdown, type FormResult, type ModelResult } from "./report.js";

/**
 * Shares that both sides may differ by: of the largest logit, and of the sum of all gradients. ReLU's
 * gradient jumps, so an activation that rounding moves across zero moves an image's gradient: PyTorch's two
 * layouts differ by 1.2e-3 on ResNet-50.
 */
const tolerance = { logits: 1e-5, gradient: 1e-2 };

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A contender at work, and what it took in each round. */
interface Entrant extends Omit<FormResult, "seconds" | "processorSeconds" | "memory"> {
  readonly child: Child;
  readonly seconds: number[];
  readonly processorSeconds: number[];
}

/** Files of a model that all contenders read. */
function makeFiles(name: BenchModelName, batch: number, folder: string, python: string): void {
  const words = [at("../peers/exported.py"), "--make", name, String(batch), folder];
  const { status, stderr, error } = spawnSync(python, words, { encoding: "utf8" });
  if (status !== 0)
    throw new Error(`${name}: not exported: ${error?.message ?? stderr.trim().split("\n").at(-1)}`);
}

/** Logits and gradient of a pass. */
interface Answer {
  readonly logits: Float32Array;
  readonly gradient: Float32Array;
}

/** Logits and gradient that a contender computes. */
async function answerOf(child: Child, file: string, images: number, pixels: number): Promise<Answer> {
  await child.write(file);
  const bytes = readFileSync(file);
  const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const logits = numbers.length - images * pixels;
  return { logits: numbers.subarray(0, logits), gradient: numbers.subarray(logits) };
}

/** Differences of two answers: the largest of the logits, and the sum of the gradients', as shares. */
function differencesOf(ours: Answer, theirs: Answer): FormResult["differences"] {
  const sum = (values: Float32Array) => values.reduce((total, value) => total + Math.abs(value), 0);
  const most = (values: Float32Array) => values.reduce((found, value) => Math.max(found, Math.abs(value)), 0);
  const apart = (part: keyof Answer) => ours[part].map((value, i) => value - theirs[part][i]!);
  return {
    logits: most(apart("logits")) / most(theirs.logits),
    gradient: sum(apart("gradient")) / sum(theirs.gradient),
  };
}

async function measureModel(
  name: BenchModelName,
  options: ExportedOptions,
  folder: string,
): Promise<ModelResult> {
  const { threads, python, rounds, quick } = options;
  const { size } = benchModels[name];
  const batch = options.batch ?? benchModels[name].batch;
  tell(`${name}: exports`);
  makeFiles(name, batch, folder, python);
  const [file, images] = [join(folder, `${name}.pt2`), join(folder, `${name}.images`)];
  const task = { name, file, images, shape: [batch, 3, size, size] };
  const ours = [process.execPath, "--import", "tsx", at("our-side.ts")] as const;
  const theirs = [python, at("../peers/exported.py")] as const;
  const forms = [
    ...ourForms.map((form) => ({ side: "ours", form, command: ours })),
    ...peerForms
      .filter((form) => !quick || !form.includes("compile"))
      .map((form) => ({ side: "PyTorch", form, command: theirs })),
  ];
  const entrants: Entrant[] = [];
  let reference: Answer | undefined;
  try {
    // The file in PyTorch is what all others are compared with, so it begins.
    const first = forms.find(({ form }) => form === "exported")!;
    for (const { side, form, command } of [first, ...forms.filter((one) => one !== first)]) {
      tell(`${name}: ${side}, ${form}: begins`);
      const child = new Child([...command], { ...task, form }, threads);
      const entrant = { side, form, child, seconds: [], processorSeconds: [] };
      entrants.push({ ...entrant, engine: "", differences: { logits: 0, gradient: 0 } });
      const { ready, capability } = await child.ready();
      const answer = await answerOf(child, join(folder, "answer"), batch, 3 * size * size);
      reference ??= answer;
      const differences = differencesOf(answer, reference);
      entrants[entrants.length - 1] = { ...entrant, engine: `${ready}, ${capability}`, differences };
      for (const part of ["logits", "gradient"] as const) {
        if (!(differences[part] <= tolerance[part]))
          throw new Error(`${name}: ${side}, ${form}: its ${part} differ by ${differences[part]}`);
      }
      await child.run(1);
    }
    for (let round = 0; round < rounds; round++) {
      tell(`${name}: round ${round + 1} of ${rounds}`);
      const turn = round % entrants.length;
      for (const { child, seconds, processorSeconds } of [
        ...entrants.slice(turn),
        ...entrants.slice(0, turn),
      ]) {
        const timed = await child.run(1);
        seconds.push(timed.seconds);
        processorSeconds.push(timed.processorSeconds!);
      }
    }
    const measured = entrants.map(({ child, ...entrant }) => ({ ...entrant, memory: child.peakMemory() }));
    return { name, batch, forms: measured };
  } finally {
    for (const { child } of entrants) child.end();
  }
}

async function main(): Promise<void> {
  const options = exportedOptions(process.argv.slice(2), process.env);
  if (options === undefined) {
    process.stdout.write(`${exportedUsage}\n`);
    return;
  }
  const loadAtStart = loadavg()[0]!;
  const folder = mkdtempSync(join(tmpdir(), "sqa-bench-exported-"));
  const models: ModelResult[] = [];
  try {
    for (const name of options.models) models.push(await measureModel(name, options, folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const result: ExportedResult = {
    machine: machineNow(options.threads, loadAtStart),
    rounds: options.rounds,
    models,
  };
  publish("bench-exported", result, exportedMarkdown(result), options);
}

await runProgram(main);
