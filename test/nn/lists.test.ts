import { describe, expect, it } from "vitest";
import { type Tensor, tensor, versions } from "../../src/engine/index.js";
import { addMultiples, divide, multiply, products } from "../../src/nn/lists.js";

const factor = tensor(0.3, []);
const lists = () => [tensor([1, 2, 3, 4], [2, 2]), tensor([-5.5], [1])];
const numbers = (list: readonly Tensor[]) => list.flatMap((one) => [...one.toNumbers()]);
const changed = (change: (list: Tensor[]) => void) => {
  const list = lists();
  change(list);
  return numbers(list);
};
const old = versions().libtorch.startsWith("1.");

// What a device does by one kernel is what the CPU does one by one.
describe.each([false, ...(old ? [] : [true])])("lists of tensors, at once: %s", (atOnce) => {
  it.each([
    ["products", (list: Tensor[]) => products(list, factor, atOnce), (x: number) => x * 0.3],
    ["multiply", (list: Tensor[]) => multiply(list, factor, atOnce), (x: number) => x * 0.3],
    ["divide", (list: Tensor[]) => divide(list, factor, atOnce), (x: number) => x / 0.3],
    [
      "addMultiples",
      (list: Tensor[]) => addMultiples(list, lists(), factor, atOnce),
      (x: number) => x + 0.3 * x,
    ],
  ] as const)("%s", (_, work, expected) => {
    let made: Tensor[] | undefined;
    const after = changed((list) => {
      made = work(list) ?? undefined;
    });
    const found = made === undefined ? after : numbers(made);
    if (made !== undefined) expect(after).toEqual(numbers(lists()));
    for (const [i, x] of numbers(lists()).entries()) expect(found[i]).toBeCloseTo(expected(x), 5);
  });
});
