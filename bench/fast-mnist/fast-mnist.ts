// A robust network for MNIST in a minute: trains `compact` by the preset `mnist-fast` with several seeds,
// each in a process of its own that is timed from its start to its end, and attacks what came out.
// `npm run bench:fast-mnist -- --help`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { count } from "../shared/count.js";
import { type Machine, machineNow } from "../shared/machine.js";
import { runProgram } from "../shared/program.js";

const usage = `npm run bench:fast-mnist -- [options]
  --seeds N      so many seeds, from 0 (5)
  --threads N    threads of each process (all processors)
  --limit N      test images (10000)
  --attack CALL  what to attack with; may be repeated (PGD-50 with 10 restarts at 0.3)
  --write        write results/fast-mnist.json and .md after each seed
SQA names the command to run, its words apart by spaces, where it is not bin/sqa.mjs.`;

const root = fileURLToPath(new URL("../..", import.meta.url));
const recipe = ["--preset", "mnist-fast"];
const pgd = "pgd(epsilon=0.3, stepSize=0.01, steps=50, restarts=10)";

interface Trained {
  readonly seed: number;
  /** From the process's start to its end, of the clock and of the processors. */
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly load: number;
  readonly clean: number;
  /** Accuracy by attack. */
  readonly attacked: Readonly<Record<string, number>>;
}

interface Result {
  readonly machine: Machine;
  readonly command: string;
  readonly images: number;
  readonly seeds: readonly Trained[];
}

/** Processor seconds of the children that have ended: fields 16 and 17 of proc(5)'s stat, in hundredths. */
function childrenSeconds(): number {
  const fields = readFileSync("/proc/self/stat", "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

function sqa(...words: string[]): string {
  const [program, ...first] = process.env.SQA?.split(" ") ?? [process.execPath, join(root, "bin/sqa.mjs")];
  const stdio: ["ignore", "pipe", "inherit"] = ["ignore", "pipe", "inherit"];
  const { stdout, status, error } = spawnSync(program!, [...first, ...words], { encoding: "utf8", stdio });
  if (status !== 0) throw new Error(`sqa ${words.join(" ")} failed`, { cause: error });
  return stdout;
}

/** Accuracies by `sqa evaluate --json`. */
interface Evaluated {
  readonly clean: { readonly accuracy: number };
  readonly attacks: readonly { readonly attack: string; readonly robustAccuracy: number }[];
}

function measure(seed: number, threads: number, limit: number, attacks: readonly string[]): Trained {
  const runs = mkdtempSync(join(tmpdir(), "sqa-fast-"));
  try {
    const [began, processorBefore, load] = [performance.now(), childrenSeconds(), loadavg()[0]!];
    const run = sqa(
      "train",
      ...recipe,
      "--seed",
      String(seed),
      "--runs",
      runs,
      "--threads",
      String(threads),
    ).trim();
    const seconds = (performance.now() - began) / 1000;
    const ofProcessors = childrenSeconds() - processorBefore;
    const attackWords = attacks.flatMap((attack) => ["--attack", attack]);
    const sizes = ["--limit", String(limit), "--threads", String(threads)];
    const words = ["evaluate", run, ...attackWords, ...sizes, "--json"];
    const evaluated = JSON.parse(sqa(...words)) as Evaluated;
    const attacked = Object.fromEntries(
      evaluated.attacks.map(({ robustAccuracy }, i) => [attacks[i]!, robustAccuracy]),
    );
    return { seed, seconds, processorSeconds: ofProcessors, load, clean: evaluated.clean.accuracy, attacked };
  } finally {
    rmSync(runs, { recursive: true, force: true });
  }
}

function markdown({ machine, command, images, seeds }: Result): string {
  const attacks = Object.keys(seeds[0]!.attacked);
  const mean = (of: (seed: Trained) => number) =>
    seeds.reduce((sum, seed) => sum + of(seed), 0) / seeds.length;
  const cells = (of: (get: (seed: Trained) => number) => number) => [
    of(({ seconds }) => seconds).toFixed(1),
    of(({ processorSeconds: value }) => value).toFixed(1),
    of(({ load }) => load).toFixed(1),
    (100 * of(({ clean }) => clean)).toFixed(2),
    ...attacks.map((attack) => (100 * of(({ attacked }) => attacked[attack]!)).toFixed(2)),
  ];
  const row = (name: string, values: readonly string[]) => `| ${[name, ...values].join(" | ")} |`;
  const head = ["s", "processor s", "load before", "clean %", ...attacks.map((attack) => `\`${attack}\` %`)];
  return `# MNIST at epsilon 0.3 in a minute

\`${command}\`, from the process's start to its end, then attacked: ${images} test images, ${machine.cpu}, ${machine.threads} threads,
Node ${machine.node}. \`npm run bench:fast-mnist -- --write\` measures again.

${[
  row("seed", head),
  row("---", new Array(head.length).fill("---")),
  ...seeds.map((seed) =>
    row(
      String(seed.seed),
      cells((get) => get(seed)),
    ),
  ),
  row("mean", cells(mean)),
].join("\n")}
`;
}

function main(): void {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "5" },
      threads: { type: "string", default: String(availableParallelism()) },
      limit: { type: "string", default: "10000" },
      attack: { type: "string", multiple: true, default: [pgd] },
      write: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  const [wanted, threads] = [count("seeds", values.seeds, 1000), count("threads", values.threads, 1024)];
  const images = count("limit", values.limit, 10_000);
  const loadAtStart = loadavg()[0]!;
  const seeds: Trained[] = [];
  for (let seed = 0; seed < wanted; seed++) {
    seeds.push(measure(seed, threads, images, values.attack));
    const machine = machineNow(threads, loadAtStart);
    const result: Result = { machine, command: `sqa train ${recipe.join(" ")}`, images, seeds };
    process.stdout.write(`${JSON.stringify(seeds.at(-1))}\n`);
    if (!values.write) continue;
    writeFileSync(join(root, "results/fast-mnist.json"), `${JSON.stringify(result, null, 2)}\n`);
    writeFileSync(join(root, "results/fast-mnist.md"), markdown(result));
  }
}

await runProgram(main);
