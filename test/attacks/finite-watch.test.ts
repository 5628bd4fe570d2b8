import { describe, expect, it } from "vitest";
import { FiniteWatch } from "../../src/attacks/contract/finite-watch.js";
import { scope, tensor } from "../../src/engine/index.js";
import { liveCount } from "../live-count.js";

const fine = tensor([1, -2], [2]);
const nan = tensor([1, Number.NaN], [2]);
const infinite = tensor([Number.POSITIVE_INFINITY, 0], [2]);

/** Fault found after passes, each of logits and gradients. */
function fault(...passes: readonly Parameters<FiniteWatch["see"]>[]): string | undefined {
  const watch = new FiniteWatch("pgd", "cpu");
  try {
    for (const pass of passes) watch.see(...pass);
    watch.check();
    return undefined;
  } catch (error) {
    return (error as Error & { what: string }).what;
  } finally {
    watch.dispose();
  }
}

describe("a watch for numbers that are not finite", () => {
  it("tells nothing of finite ones, however many", () => {
    expect(fault()).toBeUndefined();
    expect(
      fault(...Array.from({ length: 40 }, () => [fine, fine] as [typeof fine, typeof fine])),
    ).toBeUndefined();
  });

  it.each([nan, infinite])("blames what was not finite first, and logits before their gradient", (bad) => {
    expect(fault([fine, fine], [bad, bad])).toBe("logits");
    expect(fault([fine, bad])).toBe("gradients");
    // A step along NaN leads to images that have no logits.
    expect(fault([fine, fine], [fine, bad], [bad, bad])).toBe("gradients");
    expect(fault([fine], [bad])).toBe("logits");
  });

  it("does not take an earlier pass's gradient for one of a pass without", () => {
    const earlier = Array.from({ length: 15 }, () => [fine, fine] as [typeof fine, typeof fine]);
    expect(fault(...earlier, [fine], [fine])).toBeUndefined();
  });

  it("tells within 16 passes, without being asked", () => {
    const watch = new FiniteWatch("pgd", "cpu");
    watch.see(nan, nan);
    for (let pass = 0; pass < 14; pass++) watch.see(fine, fine);
    expect(() => watch.see(fine, fine)).toThrow("attack pgd: the classifier's logits are not finite");
    watch.dispose();
  });

  it("knows what is behind an error in the midst of an attack", () => {
    const watch = new FiniteWatch("pgd", "cpu");
    const consequence = new RangeError("pixels must lie in [0, 1], found NaN .. NaN");
    expect(watch.causeOf(consequence)).toBe(consequence);
    watch.see(fine, fine);
    expect(watch.causeOf(consequence)).toBe(consequence);
    watch.see(fine, nan);
    const stopped = new DOMException("stopped", "AbortError");
    expect(watch.causeOf(stopped)).toBe(stopped);
    expect(watch.causeOf(consequence)).toMatchObject({ what: "gradients" });
    watch.dispose();
  });

  it("lives until it is disposed, in whatever scope it was made", () => {
    const before = liveCount();
    const watch = scope(() => new FiniteWatch("pgd", "cpu"));
    watch.see(fine, nan);
    expect(() => watch.check()).toThrow("gradient");
    watch.dispose();
    expect(liveCount()).toBe(before);
  });
});
