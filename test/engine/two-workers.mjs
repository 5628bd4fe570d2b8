// @ts-nocheck: a plain script for a process of its own
// Run by workers.test.ts: two worker threads use the addon at the same time, beside the main thread.
import { Worker } from "node:worker_threads";
import { tsImport } from "tsx/esm/api";

const engine = new URL("../../src/engine/index.ts", import.meta.url).href;

const { liveTensors, tensor } = await tsImport(engine, import.meta.url);
const mine = tensor([1, 2, 3]);
const before = liveTensors().tensors;

const run = (scale) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("worker-task.mjs", import.meta.url), {
      workerData: { engine, scale },
    });
    let result;
    worker.on("message", (message) => {
      result = message;
    });
    worker.on("error", reject);
    worker.on("exit", (code) => (code === 0 ? resolve(result) : reject(new Error(`exit code ${code}`))));
  });

const results = await Promise.all([run(0), run(1)]);
const left = liveTensors().tensors - before;
if (mine.sum().item() !== 6) throw new Error("the main thread's tensor changed");
process.stdout.write(JSON.stringify({ results, left }));
