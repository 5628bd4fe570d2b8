// AutoAttack standard, ours and PyTorch's, on the same weights and images in one interleaved run, batch by
// batch: `npm run bench:autoattack -- --help`.
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { mnist, subset } from "../../src/datasets/index.js";
import { type Attacked, Child } from "../shared/child.js";
import { PeerFiles } from "../shared/files.js";
import { machineNow } from "../shared/machine.js";
import { publish, runProgram, tell } from "../shared/program.js";
import { peersProblem } from "../shared/python.js";
import { type AutoAttackBenchOptions, autoAttackBenchOptions, autoAttackUsage } from "./options.js";
import { type AutoAttackResult, autoAttackMarkdown, type SideResult } from "./report.js";

const fileNamed = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Sum of the batches of a side. */
function sumOf(
  batches: readonly Attacked[],
  images: number,
): Pick<SideResult, "clean" | "parts" | "seconds"> {
  const names = ["apgd", "apgd-t", "fab-t", "square"];
  const parts = names.map((name) => {
    const sum = (of: "attacked" | "left" | "forward" | "backward" | "seconds" | "processorSeconds") =>
      batches.reduce((total, { parts }) => total + (parts.find((part) => part.name === name)?.[of] ?? 0), 0);
    return {
      name,
      attacked: sum("attacked"),
      robustAccuracy: sum("left") / images,
      forward: sum("forward"),
      backward: sum("backward"),
      seconds: sum("seconds"),
      processorSeconds: sum("processorSeconds"),
    };
  });
  return {
    clean: batches.reduce((total, { clean }) => total + clean, 0) / images,
    parts,
    seconds: batches.reduce((total, { seconds }) => total + seconds, 0),
  };
}

async function compare(options: AutoAttackBenchOptions): Promise<AutoAttackResult> {
  const { images, batch, network, threads, python } = options;
  const loadAtStart = loadavg()[0]!;
  const problem = peersProblem(python);
  if (problem !== undefined) tell(`PyTorch: ${problem}`);
  using files = new PeerFiles();
  const { epsilon, steps, queries, targets, seed } = options;
  const weights = options.weights ?? files.weights(network);
  const first = subset(mnist().test, images);
  const budgets = { epsilon, steps, queries, targets, seed };
  const task = { network, weights, images: files.images(first), batch, count: images, ...budgets };
  const start = (...command: [string, ...string[]]) => new Child(command, task, threads);
  const children = [
    ["ours", start(process.execPath, "--import", "tsx", fileNamed("our-side.ts"))],
    ...(problem === undefined
      ? [["PyTorch", start(python, fileNamed("../peers/autoattack.py"))] as const]
      : []),
  ] as const;
  const sides: SideResult[] = [];
  try {
    const running = await Promise.all(
      children.map(async ([side, child]) => ({
        side,
        child,
        engine: await child.ready(),
        batches: [] as Attacked[],
      })),
    );
    const count = Math.ceil(images / batch);
    for (let i = 0; i < count; i++) {
      // The other side begins each time.
      for (const { side, child, batches } of i % 2 === 0 ? running : [...running].reverse()) {
        const attacked = await child.attack(i);
        if (!(attacked.largest <= epsilon + 1e-6))
          throw new Error(`${side} left the ball: ${attacked.largest}`);
        batches.push(attacked);
        const left = attacked.parts.map(({ name, left }) => `${name} ${left}`).join(", ");
        tell(`batch ${i + 1} of ${count}: ${side}, ${attacked.seconds.toFixed(1)} s; left by ${left}`);
      }
    }
    for (const { side, engine, batches } of running) {
      sides.push({ side, engine: `${engine.ready}, ${engine.capability}`, ...sumOf(batches, images) });
    }
  } finally {
    for (const [, child] of children) child.end();
  }
  const machine = machineNow(threads, loadAtStart);
  return { machine, images, batch, network, budgets, sides, ...(problem === undefined ? {} : { problem }) };
}

async function main(): Promise<void> {
  const options = autoAttackBenchOptions(process.argv.slice(2), process.env);
  if (options === undefined) {
    process.stdout.write(`${autoAttackUsage}\n`);
    return;
  }
  const result = await compare(options);
  publish("autoattack", result, autoAttackMarkdown(result), options);
}

await runProgram(main);
