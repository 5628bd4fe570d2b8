import { describe, expect, test } from "vitest";
import { keep, operators, scope, type Tensor, tensor } from "../../src/engine/index.js";
import { native } from "../../src/engine/native.js";
import { liveCount } from "../live-count.js";

const live = liveCount;

describe("scope", () => {
  test("frees every tensor but the one returned", () => {
    const before = live();
    const result = scope(() => tensor([1, 2]).add(1).mul(2));
    expect(live() - before).toBe(1);
    expect(result.toNumbers()).toEqual([4, 6]);
    result.dispose();
    expect(live()).toBe(before);
  });

  test("tells the garbage collector of a tensor's memory only when it lets go of it", () => {
    const told = () => native().memory().collectableBytes;
    const size = 2 ** 20;
    const made = () => operators.ones([size / 4]);
    const before = told();
    // A handle counts as a few bytes more.
    const grown = () => Math.round((told() - before) / size);
    const [returned, kept] = scope(() => {
      const inside = [made(), made()] as const;
      scope(made);
      expect(grown()).toBe(0);
      keep(inside[1]);
      expect(grown()).toBe(1);
      return inside;
    });
    expect(grown()).toBe(2);
    returned.dispose();
    kept.dispose();
    expect(grown()).toBe(0);
  });

  test("finds tensors in arrays, maps, sets and nested objects", () => {
    const before = live();
    const made = scope(() => {
      tensor([0]);
      return {
        list: [tensor([1]), [tensor([2])]],
        map: new Map([["a", tensor([3])]]),
        set: new Set([tensor([4])]),
        deep: { deeper: { tensor: tensor([5]) }, other: 5, text: "x", none: null, bytes: new Uint8Array(2) },
        bare: Object.assign(Object.create(null), { tensor: tensor([6]) }) as { tensor: Tensor },
      };
    });
    expect(live() - before).toBe(6);
    expect(made.deep.deeper.tensor.item()).toBe(5);
    expect([...made.set][0]!.item()).toBe(4);
    expect(made.bare.tensor.item()).toBe(6);
  });

  test("ends on a result that holds itself", () => {
    const result = scope(() => {
      const ring: { self?: unknown; tensor: Tensor } = { tensor: tensor([1]) };
      ring.self = [ring];
      return ring;
    });
    expect(result.tensor.item()).toBe(1);
  });

  test("hands what it returns to the enclosing scope", () => {
    const before = live();
    const outer = scope(() => {
      const inner = scope(() => [tensor([1]), tensor([2])]);
      expect(inner.map((item) => item.item())).toEqual([1, 2]);
      return inner[1]!;
    });
    expect(live() - before).toBe(1);
    expect(outer.item()).toBe(2);
    outer.dispose();
  });

  test("leaves tensors from outside alone", () => {
    using outside = tensor([3]);
    scope(() => outside);
    scope(() => [outside.add(1), outside]);
    expect(outside.item()).toBe(3);
  });

  test("frees everything when the function throws", () => {
    const before = live();
    expect(() =>
      scope(() => {
        tensor([1]);
        scope(() => {
          tensor([2]);
          throw new Error("inside");
        });
      }),
    ).toThrow("inside");
    expect(live()).toBe(before);
    using after = tensor([1]);
    expect(after.disposed).toBe(false);
  });

  test("refuses a Promise, whose failure then harms nobody", async () => {
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    await turn();
    const before = live();
    const message = "scope takes a synchronous function, not one that returns a Promise";
    expect(() => scope(async () => tensor([1]))).toThrow(new TypeError(message));
    expect(() => scope(() => Promise.reject(new Error("unseen")))).toThrow(new TypeError(message));
    await turn();
    expect(live()).toBe(before);
  });

  test("takes tensors disposed before its end", () => {
    const before = live();
    scope(() => tensor([1]).dispose());
    expect(live()).toBe(before);
  });
});

describe("keep", () => {
  test("takes a tensor out of every open scope", () => {
    let kept: Tensor | undefined;
    scope(() => {
      scope(() => {
        kept = keep(tensor([7]));
      });
    });
    expect(kept!.item()).toBe(7);
    kept!.dispose();
  });
});
