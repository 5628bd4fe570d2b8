// Run by memory.test.ts in a process of its own: drops 3,000 tensors of 1 MiB in a synchronous loop, never awaiting.
import { operators as ops, versions } from "../../src/engine/index.js";
import { peakMegabytes, residentMegabytes } from "./process-memory.js";

versions();
ops.zeros([8]).add(1);
const baseline = residentMegabytes();
for (let i = 0; i < 3000; i++) ops.ones([2 ** 18]);
process.stdout.write(JSON.stringify({ baseline, peak: peakMegabytes() }));
