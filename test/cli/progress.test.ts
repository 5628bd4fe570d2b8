import { describe, expect, it } from "vitest";
import { formatDuration, Progress, showWaiting, withProgress } from "../../src/cli/frame/progress.js";
import { captureOutput } from "./captured-output.js";

/** A clock set by hand, in milliseconds. */
function handClock() {
  const clock = { time: 0, now: () => clock.time };
  return clock;
}

const CLEAR = "\r\u001b[2K";

describe("Progress", () => {
  it("draws a bar on a terminal, no more often than can be read", () => {
    using captured = captureOutput({ terminal: true });
    const clock = handClock();
    const progress = new Progress({ label: "train", total: 100, now: clock.now });
    for (clock.time = 100; clock.time < 180; clock.time += 10) progress.update({ done: 1 });
    clock.time = 10_000;
    progress.update({ done: 50, metrics: { loss: 0.123456, mode: "fgsm" } });
    const frames = captured.stderr.text.split(CLEAR);
    expect(frames).toEqual([
      "train  ────────────────────────    0%  0/100",
      "train  ────────────────────────    1%  1/100  9.9 s left",
      "train  ━━━━━━──────   50%  50/100  loss 0.1235  mode fgsm  10 s left",
    ]);
    clock.time = 11_000;
    progress.update({
      done: 55,
      metrics: { loss: 0.123456, mode: "fgsm", under: "an attack with a long name" },
    });
    expect(
      captured.stderr.text.endsWith("train  ━━━━━━━─────   55%  55/100  loss 0.1235  mode fgsm  9.0 s left"),
    ).toBe(true);
    progress.finish();
    progress.update({ done: 60 });
    expect(captured.stderr.text.endsWith(CLEAR)).toBe(true);
  });

  it("counts time left from where a resumed run began", () => {
    using captured = captureOutput({ terminal: true });
    const clock = handClock();
    const progress = new Progress({ label: "train", total: 100, initial: 80, now: clock.now });
    clock.time = 20_000;
    progress.update({ done: 90 });
    expect(captured.stderr.text).toContain("90/100  20 s left");
    progress.finish();
  });

  it("writes a line every few seconds elsewhere", () => {
    using captured = captureOutput();
    const clock = handClock();
    const progress = new Progress({ label: "evaluate", total: 10, now: clock.now });
    for (let done = 1; done <= 10; done++) {
      clock.time = done * 1000;
      progress.update({ done });
    }
    progress.finish();
    progress.finish();
    expect(captured.stderr.text).toBe(
      "evaluate   50%  5/10  5.0 s left\nevaluate  100%  10/10\nevaluate: took 10 s\n",
    );
  });

  it("says how long work has taken that tells nothing meanwhile", () => {
    for (const terminal of [true, false]) {
      using captured = captureOutput({ terminal });
      const clock = handClock();
      const progress = new Progress({ label: "AutoAttack", total: 50, now: clock.now });
      for (; clock.time <= 130_000; clock.time += 500) showWaiting();
      expect(captured.stderr.text.match(/so far/g)).toHaveLength(terminal ? 126 : 2);
      expect(captured.stderr.text).toContain("  0%  0/50  1:00 so far");
      progress.finish();
      const ended = captured.stderr.text;
      clock.time = 1e6;
      showWaiting();
      expect(captured.stderr.text).toBe(ended);
    }
  });

  it("shows nothing when quiet", () => {
    for (const terminal of [true, false]) {
      using captured = captureOutput({ terminal, quiet: true });
      const clock = handClock();
      const progress = new Progress({ label: "x", now: clock.now });
      clock.time = 1e6;
      progress.update({ done: 5 });
      progress.finish();
      expect(captured.stderr.text).toBe("");
    }
  });

  it("passes a stream of events on and cleans up when it breaks", async () => {
    using captured = captureOutput({ terminal: true });
    async function* events() {
      yield 1;
      yield 2;
      throw new Error("broken");
    }
    const seen: number[] = [];
    const run = async () => {
      for await (const event of withProgress(events(), { label: "x", total: 2 }, (done) => ({ done })))
        seen.push(event);
    };
    await expect(run()).rejects.toThrow("broken");
    expect(seen).toEqual([1, 2]);
    expect(captured.stderr.text.endsWith(CLEAR)).toBe(true);
  });
});

describe("formatDuration", () => {
  it.each([
    [0.44, "0.4 s"],
    [9.96, "10 s"],
    [59.6, "1:00"],
    [185, "3:05"],
    [3723, "1:02:03"],
    [Number.NaN, "?"],
  ])("writes %d as %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});
