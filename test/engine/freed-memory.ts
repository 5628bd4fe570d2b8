// What a process holds while it takes and frees large tensors in turns, with small ones that stay;
// memory.test.ts runs it.
import { liveTensors, operators as ops, type Tensor } from "../../src/engine/index.js";

const megabyte = 2 ** 20;
const resident = () => process.memoryUsage().rss / megabyte;
const floats = (megabytes: number) => ops.full([Math.round((megabytes * megabyte) / 4)], 1, "float32");

/**
 * Tensors of 1 to 9 MB, 80 MB in all, each followed by a small one that is kept; all large ones are freed.
 */
function round(number: number, kept: Tensor[]): void {
  const large: Tensor[] = [];
  for (let i = 0; i < 16; i++) {
    large.push(floats(1 + ((i * 7 + number * 3) % 17) / 2));
    for (let j = 0; j < 8; j++) kept.push(ops.zeros([64 + 8 * j]));
  }
  for (const tensor of large) tensor.dispose();
}

const kept: Tensor[] = [];
const holding: number[] = [];
for (let number = 0; number < 60; number++) {
  round(number, kept);
  if (number === 9 || number === 59) holding.push(resident());
}

const faultsBefore = process.resourceUsage().minorPageFault;
for (let i = 0; i < 200; i++) floats(8).dispose();
const faults = process.resourceUsage().minorPageFault - faultsBefore;

const before = resident();
for (let i = 0; i < 3; i++) {
  const many = Array.from({ length: 8 }, (_, j) => floats(60 + 20 * (j + 3 * i)));
  for (const tensor of many) tensor.dispose();
}
const freed = resident() - before;

process.stdout.write(JSON.stringify({ holding, faults, freed, bytes: liveTensors().bytes }));
