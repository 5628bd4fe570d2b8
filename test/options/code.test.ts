import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { attacks, backward, defineAttack, pgd, restarts } from "../../src/attacks/index.js";
import { fileSha256 } from "../../src/base/index.js";
import { schedules } from "../../src/nn/index.js";
import { codeOf, joinedCode } from "../../src/options/index.js";
import { methodOf } from "../../src/training/methods/index.js";

const own = defineAttack("own", {
  summary: "leaves images as they are",
  options: z.strictObject({ epsilon: z.number().default(0.1) }),
  traits: ({ epsilon }) => ({ norm: "linf", radius: epsilon, usesGradients: false, randomized: false }),
  run: (_, _victim, images) => images.clone(),
});
const sha256 = fileSha256(fileURLToPath(import.meta.url));

describe("the code of a value", () => {
  test("is the hash of the user's file that defines it", () => {
    expect(own().code).toBe(sha256);
    expect(own({ epsilon: 0.2 }).code).toBe(sha256);
  });

  test("is none where the package defines it, by itself or out of text", () => {
    expect(pgd().code).toBeUndefined();
    expect(attacks.parse("restarts(pgd(steps=7), times=2)").code).toBeUndefined();
    expect(schedules.parse("one-cycle(peak=0.1)").code).toBeUndefined();
  });

  test("is that of the values inside", () => {
    expect(restarts(own(), { times: 2 }).code).toBe(sha256);
    expect(backward(restarts(own(), { times: 2 }), { through: "noise-free" }).code).toBe(sha256);
    expect(methodOf(own()).code).toBe(sha256);
  });

  test("of several is one hash, whatever else is among them", () => {
    expect(codeOf([pgd(), [own(), own()], "text", undefined])).toBe(sha256);
    expect(codeOf([pgd(), 7])).toBeUndefined();
    const both = joinedCode(["a", undefined, "b"]);
    expect(both).toMatch(/^[0-9a-f]{64}$/);
    expect(both).not.toBe(joinedCode(["a", "c"]));
  });
});
