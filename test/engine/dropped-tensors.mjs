// @ts-nocheck: a plain script for a process of its own
// Run by memory.test.ts in a process of its own: drops 3,000 tensors of 1 MiB in a synchronous loop, never awaiting.
// The engine is taken as compiled in dist/, since compiling it here would count as its memory.
import { readFileSync } from "node:fs";

const { operators, versions } = await import("../../dist/engine/index.js");
const megabytes = (field) =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync("/proc/self/status", "utf8"))[1]) *
  1.024e-3;

versions();
operators.zeros([8]).add(1);
const baseline = megabytes("VmRSS");
for (let i = 0; i < 3000; i++) operators.ones([2 ** 18]);
process.stdout.write(JSON.stringify({ baseline, peak: megabytes("VmHWM") }));
