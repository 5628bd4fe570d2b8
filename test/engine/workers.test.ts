import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { countedUniform } from "../../src/base/philox.js";

const script = fileURLToPath(new URL("two-workers.mjs", import.meta.url));

test("the addon works in the main thread and two worker threads at once, and the process ends cleanly", () => {
  const out = execFileSync(process.execPath, [script], { encoding: "utf8", timeout: 55_000 });
  type Result = { sums: number[]; uniforms: number[]; failure: boolean };
  const { results, left } = JSON.parse(out) as { results: Result[]; left: number };
  const uniforms = Array.from({ length: 8 }, (_, i) =>
    countedUniform({ low: 7, high: 0 }, { stream: 0, draw: 0, image: 0 }, i),
  );
  expect(results).toHaveLength(2);
  // What the workers still held went with them.
  expect(left).toBe(0);
  for (const [i, result] of results.entries()) {
    // mean(X X) has the gradient 2 * 64 * c / 64^2 in each of 64^2 entries where all entries of X are c.
    expect(result.sums).toHaveLength(1);
    expect(result.sums[0]).toBeCloseTo(2 * 64 * (i + 0.5), 3);
    expect(result.uniforms).toEqual(uniforms);
    expect(result.failure).toBe(true);
  }
});
