// Processor time of an audit, per image and pass: passes of each budget, counted as the audit's own estimate
// counts them, times the time of a pass of an exported model that has no noise.
// `npx tsx bench/audit-cost/audit-cost.ts --help`.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import {
  enableGrad,
  grad,
  imageIdRange,
  noGrad,
  operators as ops,
  scope,
  setThreads,
  tensor,
} from "../../src/engine/index.js";
import { withSubject } from "../../src/evaluation/audit/parts.js";
import { countPasses } from "../../src/evaluation/audit/time/estimate.js";
import { type BudgetName, budgets } from "../../src/evaluation/index.js";
import { type Model, modelFromFile, numberedClasses } from "../../src/models/index.js";
import type { Classifier } from "../../src/nn/index.js";
import { machineNow } from "../shared/machine.js";
import { processorSeconds, tell } from "../shared/program.js";

const usage = `npx tsx bench/audit-cost/audit-cost.ts MODEL.pt2 [options]
  --budget NAME  quick, standard or full; several times for more (all)
  --images N     images of a batch (4)
  --rounds N     rounds, of which the least time counts (5)
  --size N       width of the image on which passes are counted (32): few attacks ask more of a larger one
  --epsilon E    radius (4/255 = 0.01569)`;

/** Least processor seconds of work, over rounds; the first warms up. */
function leastSeconds(rounds: number, work: () => void): number {
  const seconds = Array.from({ length: rounds + 1 }, () => {
    const before = processorSeconds();
    work();
    return processorSeconds() - before;
  });
  return Math.min(...seconds.slice(1));
}

/** Processor seconds of an image's pass: forward, and forward and back. */
function secondsOfPasses(model: Model, count: number, rounds: number) {
  const classifier = model.classifier();
  const [channels, height, width] = model.inputShape;
  const grays = Float32Array.from({ length: count * channels * height * width }, (_, i) => (i % 251) / 255);
  const images = tensor(grays, [count, channels, height, width]);
  const key = { seed: { low: 0, high: 0 }, draw: 0, imageIds: imageIdRange(0, count) };
  const forward = () => noGrad(() => scope(() => classifier.logits(images, key).sum().item()));
  const both = () =>
    enableGrad(() =>
      scope(() => {
        const input = images.detach().requireGrad();
        grad(classifier.logits(input, key).sum(), [input])[0]!.sum().item();
      }),
    );
  return { forward: leastSeconds(rounds, forward) / count, both: leastSeconds(rounds, both) / count };
}

/** Classifier of so many classes that costs nothing. */
function cheap(classes: number, size: number): Classifier {
  return {
    inputShape: [3, size, size],
    classes,
    randomized: false,
    logits: (images) => images.flatten(1).meanDim([1], true).mul(ops.arange(0, classes).to("float32")),
  };
}

/** Trials of a budget, and the passes of an image that they take at most. */
async function passesOf(budget: BudgetName, classes: number, size: number, epsilon: number) {
  const form = { imageShape: [3, size, size] as const, classNames: numberedClasses(classes) };
  const pixels = new Uint8Array(3 * size * size).fill(100);
  const split = { name: "gray", images: pixels, labels: Uint8Array.of(0), count: 1, ...form };
  const options = { epsilon, budget, limit: 1 };
  const never = new AbortController().signal;
  const before = processorSeconds();
  const steps = withSubject(cheap(classes, size), split, options, never, async function* (parts) {
    const { plan, trials, subject } = parts;
    const counting = countPasses(plan, subject.data, trials);
    let step = counting.next();
    while (step.done !== true) step = counting.next();
    const sum = { forward: 0, backward: 0 };
    for (const { forward, backward } of step.value.values()) {
      sum.forward += forward;
      sum.backward += backward;
    }
    yield { trials: trials.length, ...sum };
  });
  const { value } = await steps.next();
  await steps.return(undefined);
  return { ...value!, countingSeconds: processorSeconds() - before };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    budget: { type: "string", multiple: true, default: Object.keys(budgets) },
    images: { type: "string", default: "4" },
    rounds: { type: "string", default: "5" },
    size: { type: "string", default: "32" },
    epsilon: { type: "string", default: "0.01569" },
    help: { type: "boolean", default: false },
  },
});
if (values.help || positionals.length !== 1) {
  process.stdout.write(`${usage}\n`);
  process.exit(values.help ? 0 : 64);
}
setThreads(1);
const loadAtStart = loadavg()[0]!;
const model = (await modelFromFile(positionals[0]!)).build({ seed: 0 });
const seconds = secondsOfPasses(model, Number(values.images), Number(values.rounds));
const rows: object[] = [];
for (const budget of values.budget as BudgetName[]) {
  const found = await passesOf(budget, model.classes, Number(values.size), Number(values.epsilon));
  // Each trial answers its image once more.
  const { trials, forward, backward } = found;
  const secondsPerImage = (forward - backward + trials) * seconds.forward + backward * seconds.both;
  rows.push({ budget, ...found, secondsPerImage });
  tell(JSON.stringify(rows.at(-1)));
}
const machine = machineNow(1, loadAtStart);
process.stdout.write(`${JSON.stringify({ secondsOfPass: seconds, rows, machine }, null, 2)}\n`);
