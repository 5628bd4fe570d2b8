// Trains the paper's network with SQA on MNIST, measures it under attack, and audits it:
// npx tsx examples/quick-start.ts [IMAGES]
import { audit, evaluate, fgsm, mnist, pgd, small, sqa, train } from "sqa";

const limit = Number(process.argv[2] ?? 60_000);
const data = mnist();
const run = await train({
  model: small(),
  data,
  defenses: [sqa()],
  method: fgsm({ epsilon: 0.3 }),
  epochs: 3,
  limit,
});

const attacks = [fgsm({ epsilon: 0.3 }), pgd({ epsilon: 0.3 })];
const evaluation = await evaluate(run.model, data.test, { attacks, limit: Math.min(1000, limit) });
console.log(`clean ${evaluation.clean.accuracy}`);
for (const { attack, robustAccuracy } of evaluation.attacks) console.log(attack, robustAccuracy);

const report = await audit(run.model, data.test, {
  epsilon: 0.3,
  budget: "quick",
  limit: Math.min(50, limit),
});
console.log(report.verdict.text);
