import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { attacks, defineAttack } from "../../src/attacks/index.js";
import { main } from "../../src/cli/main.js";
import { setThreads } from "../../src/engine/index.js";
import { small } from "../../src/models/index.js";
import { saveWeights } from "../../src/training/index.js";
import { fakeImages, fakeLabels, idxBytes, writeFolder } from "../datasets/idx-files.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-resumed-evaluation-"));
const [weights, data, out] = ["small.safetensors", "data", "kept"].map((name) => join(folder, name));
const count = 12;

/** Batches that the attack saw, and the one in which somebody presses Ctrl-C. */
let seen = 0;
let pressedIn = 0;
const forget = attacks.register(
  defineAttack("interrupted", {
    summary: "leaves images as they are",
    options: z.strictObject({ epsilon: z.number() }),
    traits: ({ epsilon }) => ({ norm: "linf", radius: epsilon, usesGradients: false, randomized: false }),
    run(_, victim, images) {
      seen++;
      if (seen === pressedIn) process.listeners("SIGINT").at(-1)!("SIGINT");
      victim.logits(images);
      return images.clone();
    },
  }),
);

beforeAll(() => {
  setThreads(1);
  saveWeights(weights!, small().build({ seed: 4 }).module);
  writeFolder(data!, {
    "t10k-images-idx3-ubyte": idxBytes([count, 28, 28], fakeImages(count)),
    "t10k-labels-idx1-ubyte": idxBytes([count], fakeLabels(count)),
  });
});
beforeEach(() => {
  [seen, pressedIn] = [0, 0];
});
afterAll(() => {
  forget();
  rmSync(folder, { recursive: true });
});

async function evaluate(...words: string[]) {
  using captured = captureOutput();
  const images = `mnist(folder=${data}, checksums=false)`;
  const subject = [weights!, "--architecture", "small", "--images", images, "--batch-size", "4"];
  const run = ["--attack", "interrupted(epsilon=0.1)", "--attack", "interrupted(epsilon=0.2)", "--json"];
  const code = await main(["evaluate", ...subject, ...run, ...words]);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}
const untimed = ({ out: text }: { out: string }) => text.replaceAll(/"seconds":[^,}]*/g, "");

describe("an evaluation", () => {
  it("that is stopped goes on behind the last batch, and leaves nothing at its end", async () => {
    const whole = await evaluate("--out", out!);
    expect([whole.code, seen]).toEqual([0, 6]);
    expect(readdirSync(out!)).toEqual([]);
    [seen, pressedIn] = [0, 5];
    const stopped = await evaluate("--out", out!);
    expect([stopped.code, stopped.out]).toEqual([75, ""]);
    expect(stopped.err).toContain("stopped: the same command resumes the work");
    expect(readdirSync(out!)).toHaveLength(1);
    [seen, pressedIn] = [0, 0];
    const resumed = await evaluate("--out", out!);
    expect([resumed.code, seen]).toEqual([0, 2]);
    expect(untimed(resumed)).toBe(untimed(whole));
    expect(readdirSync(out!)).toEqual([]);
  });

  it("begins anew where the model has changed, and goes on where it is as before", async () => {
    pressedIn = 5;
    await evaluate("--out", out!);
    saveWeights(weights!, small().build({ seed: 5 }).module);
    [seen, pressedIn] = [0, 0];
    expect([(await evaluate("--out", out!)).code, seen]).toEqual([0, 6]);
    saveWeights(weights!, small().build({ seed: 4 }).module);
    seen = 0;
    expect([(await evaluate("--out", out!)).code, seen]).toEqual([0, 2]);
    expect(readdirSync(out!)).toEqual([]);
  });

  it("keeps nothing where it ends in an error before an attack", async () => {
    const { code, err } = await evaluate("--out", out!, "--expect-clean", "0.9");
    expect([code, seen]).toEqual([1, 0]);
    expect(err).toContain("classifies");
    expect(readdirSync(out!)).toEqual([]);
  });

  it("runs where its folder cannot be made, and says what that means", async () => {
    const { code, err } = await evaluate("--out", join(weights!, "within-a-file"));
    expect([code, seen]).toEqual([0, 6]);
    expect(err).toMatch(
      /if it is stopped, the evaluation begins again: cannot make the folder .* is no folder/,
    );
  });
});
