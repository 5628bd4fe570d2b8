// Trains the paper's network with SQA on MNIST, then attacks it: npx tsx examples/train-and-attack.ts [IMAGES]
import { evaluate, fgsm, mnist, networkFromRun, pgd, subset, train } from "sqa";

const images = Number(process.argv[2] ?? 60_000);
let run = "";
for await (const event of train({ network: "small", sqa: {}, method: "fgsm(epsilon=0.3)", epochs: 3, limit: images })) {
  if (event.type === "epoch") console.log(`epoch ${event.epoch}: loss ${event.loss}, clean ${event.clean}`);
  if (event.type === "end") run = event.run;
}

const { model } = networkFromRun(run);
const attacks = [fgsm({ epsilon: 0.3 }), pgd({ epsilon: 0.3, stepSize: 0.01, steps: 40 })];
const test = subset(mnist.load().test, Math.min(1000, images));
for await (const event of evaluate(model.classifier(), test, { attacks })) {
  if (event.type !== "end") continue;
  for (const { attack, robustAccuracy } of event.evaluation.attacks) console.log(attack, robustAccuracy);
}
