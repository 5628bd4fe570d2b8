import { expect, it } from "vitest";
import { secondsLeft, withBar } from "../../src/cli/commands/audit/progress.js";
import type { AuditEvent } from "../../src/evaluation/index.js";
import { captureOutput } from "./captured-output.js";

it("says at first what the estimate says, and later what the pace of the work says", () => {
  expect(secondsLeft(240, 0, 0)).toBe(240);
  // A first batch that takes three times as long does not make 4 minutes 12.
  expect(secondsLeft(240, 2, 6)).toBeCloseTo(238 * (36 / 32), 9);
  // Half of the work in a quarter of the time: as much again is left, and a little for the doubt.
  expect(secondsLeft(2400, 1200, 300)).toBeCloseTo(1200 * (330 / 1230), 9);
  expect(secondsLeft(240, 250, 100)).toBe(0);
});

it("counts attacks, and shows the share of the expected time as the bar", async () => {
  using captured = captureOutput({ terminal: true });
  const trial = { attack: undefined, attacked: "model", shownTo: "model" };
  async function* events() {
    yield { type: "estimate", trials: 4 };
    yield { type: "plan", trials: 4, seconds: 200 };
    for (const done of [20, 50, 100]) {
      yield { type: "trial", outcome: {}, worst: 0.5 };
      await new Promise((passed) => setTimeout(passed, 100));
      yield { type: "progress", trial, done, seconds: 200 };
    }
  }
  for await (const _ of withBar(events() as unknown as AsyncIterable<AuditEvent>, () => 0));
  const [waiting, ...bars] = captured.stderr.text.split("\r\u001b[2K").filter((text) => /^audit/.test(text));
  expect(waiting).toBe("audit");
  expect(bars.at(-1)).toMatch(/^audit .* 50% {2}3\/4 attacks {2}under clean .* left$/);
});
