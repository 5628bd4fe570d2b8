import { expect, test } from "vitest";
import { Launched, noMpi } from "./mpirun.js";

test.skipIf(noMpi !== undefined)(
  "batch normalization on ranks is that of the whole batch, in bfloat16 too",
  async () => {
    const launched = Launched.program(2, "batch-norm.ts", []);
    expect([await launched.ended(), launched.output]).toEqual([0, expect.any(String)]);
    const lines = launched.output.split("\n").filter((line) => line.startsWith('{"dtype"'));
    const found = lines.map((line) => JSON.parse(line) as Record<string, number>);
    expect(found.map(({ dtype }) => dtype)).toEqual(["float32", "bfloat16"]);
    for (const [i, { dtype: _, ...errors }] of found.entries()) {
      for (const [name, error] of Object.entries(errors)) {
        // What leaves in bfloat16 is rounded to 2^-9; the gradient is, before its last terms and behind them.
        const rounded = i === 1 && ["output", "by input"].includes(name);
        expect(error, name).toBeLessThan(rounded ? 0.01 : 1e-5);
      }
    }
  },
  300_000,
);
