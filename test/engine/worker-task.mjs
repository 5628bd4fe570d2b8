// @ts-nocheck: a plain script for a process of its own
// A worker thread's part of workers.test.ts: loads the addon there, computes, and reports.
import { parentPort, workerData } from "node:worker_threads";
import { tsImport } from "tsx/esm/api";

const { grad, imageIdRange, countedUniform, operators, scope, tensor } = await tsImport(
  workerData.engine,
  import.meta.url,
);
const sums = [];
for (let i = 0; i < 50; i++) {
  sums.push(
    scope(() => {
      const x = operators.full([64, 64], workerData.scale + 0.5).requireGrad();
      return grad(x.matmul(x).mean(), [x])[0].sum().item();
    }),
  );
}
const noise = { seed: { low: 7, high: 0 }, draw: 0, imageIds: imageIdRange(0, 1) };
const uniforms = countedUniform(noise, 0, [8]).toNumbers();
let failure;
try {
  tensor([1, 2]).matmul(tensor([1, 2, 3]));
} catch (error) {
  failure = error.name === "TensorError" && error.message.startsWith("aten::");
}
parentPort.postMessage({ sums: [...new Set(sums)], uniforms, failure });
