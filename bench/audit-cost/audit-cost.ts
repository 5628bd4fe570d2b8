// Processor time of an audit, per image and pass: passes of each budget, counted as the audit's own estimate
// counts them, times the time of a pass of an exported model. `npx tsx bench/audit-cost/audit-cost.ts --help`.

import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { enableGrad, grad, noGrad, scope, setThreads } from "../../src/engine/index.js";
import { withSubject } from "../../src/evaluation/audit/parts.js";
import { countPasses } from "../../src/evaluation/audit/time/estimate.js";
import { type BudgetName, budgets } from "../../src/evaluation/index.js";
import { modelFromFile, numberedClasses } from "../../src/models/index.js";
import { playerOf } from "../../src/trials/index.js";
import { machineNow } from "../shared/machine.js";

const usage = `npx tsx bench/audit-cost/audit-cost.ts MODEL.pt2 [options]
  --budget NAME  quick, standard or full; several times for more (all)
  --images N     images of a batch (4)
  --rounds N     rounds, of which the least time counts (5)
  --epsilon E    radius (4/255 = 0.01569)`;

/** Seconds of all threads of this process. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Least processor seconds of work, over rounds; the first warms up. */
function leastSeconds(rounds: number, work: () => void): number {
  const seconds = Array.from({ length: rounds + 1 }, () => {
    const before = processorSeconds();
    work();
    return processorSeconds() - before;
  });
  return Math.min(...seconds.slice(1));
}

/** Pixels of noise in gray levels: no pixel changes a pass's time. */
function noise(count: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    budget: { type: "string", multiple: true, default: Object.keys(budgets) },
    images: { type: "string", default: "4" },
    rounds: { type: "string", default: "5" },
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
const model = await modelFromFile(positionals[0]!);
const [channels, height, width] = model.inputShape;
const count = Number(values.images);
const images = {
  name: "noise",
  images: noise(count * channels * height * width),
  labels: Uint8Array.from({ length: count }, (_, image) => image),
  count,
  imageShape: model.inputShape,
  classNames: numberedClasses(model.classes),
};
const ofPass = { forward: 0, both: 0 };
const rows: object[] = [];
for (const name of values.budget as BudgetName[]) {
  const options = { epsilon: Number(values.epsilon), budget: name, limit: count };
  const never = new AbortController().signal;
  const steps = withSubject(model, images, options, never, async function* ({ plan, trials, subject }) {
    const { players } = plan;
    const batch = subject.data.range(0, count);
    const key = { seed: plan.seed, draw: 0, imageIds: batch.imageIds };
    if (ofPass.forward === 0) {
      const forward = () => noGrad(() => scope(() => players.model.logits(batch.images, key).sum().item()));
      const both = () =>
        enableGrad(() =>
          scope(() => {
            const input = batch.images.detach().requireGrad();
            grad(players.model.logits(input, key).sum(), [input])[0]!.sum().item();
          }),
        );
      ofPass.forward = leastSeconds(Number(values.rounds), forward) / count;
      ofPass.both = leastSeconds(Number(values.rounds), both) / count;
      process.stderr.write(`${JSON.stringify(ofPass)}\n`);
    }
    const before = processorSeconds();
    const counting = countPasses(plan, subject.data, trials);
    let step = counting.next();
    for (; step.done !== true; step = counting.next());
    const attackSeconds = processorSeconds() - before;
    const sum = { forward: 0, backward: 0, answers: 0 };
    for (const trial of trials) {
      const { forward, backward } = step.value.get(trial.id)!;
      sum.forward += forward;
      sum.backward += backward;
      sum.answers += playerOf(players, trial.shownTo).randomized ? plan.budget.draws : 1;
    }
    const seconds = (sum.forward - sum.backward + sum.answers) * ofPass.forward + sum.backward * ofPass.both;
    yield { budget: name, trials: trials.length, ...sum, attackSeconds, secondsPerImage: seconds };
  });
  for (let step = await steps.next(); step.done !== true; step = await steps.next()) {
    rows.push(step.value);
    process.stderr.write(`${JSON.stringify(step.value)}\n`);
  }
}
const machine = machineNow(1, loadAtStart);
process.stdout.write(`${JSON.stringify({ model: positionals[0], count, ofPass, rows, machine }, null, 2)}\n`);
