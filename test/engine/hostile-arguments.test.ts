import { createSecureContext } from "node:tls";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { functions, laterOperators, methods } from "../../scripts/operator-list.js";
import { operator } from "../../src/engine/dispatch.js";
import { tensor, versions } from "../../src/engine/index.js";
import { type Handle, native } from "../../src/engine/native.js";

const old = versions().libtorch.startsWith("1.");
const names = [...Object.values(methods), ...Object.values(functions)].flat();

/** Every operator in use that this libtorch has, by its index in the addon. */
const indices = names
  .filter((name) => !(old && laterOperators.has(name)))
  .map((name) => {
    const [base = "", overload = ""] = name.split(".");
    const op = operator(`aten::${base}`, overload);
    return { name, index: native().findOperator(op.name, op.overload) };
  });

const disposed = (() => {
  const made = tensor([1]);
  const { handle } = made;
  made.dispose();
  return handle;
})();
// An external of Node's own: a pointer to something that is no tensor.
const foreign = (createSecureContext().context as { _external?: unknown })._external;
const kept = [
  tensor([1, 2, 3, 4], [2, 2]),
  tensor([0.5, -1], [2], "float64"),
  tensor([], [0, 3]),
  tensor([0, 1], [2], "int64"),
  tensor([1, 0], [2], "bool"),
  tensor([1, 2], [2], "bfloat16"),
  tensor(3),
];

/** Values that no operator asked for. */
const hostile = fc.oneof(
  fc.constantFrom<unknown>(...kept.map((item) => item.handle), disposed, foreign, null, undefined, true, false),
  fc.constantFrom<unknown>(
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -0,
    -1,
    0,
    1,
    2,
    99,
    1.5,
    2 ** 40,
    2 ** 53,
    -(2 ** 53),
    2 ** 60,
  ),
  fc.constantFrom<unknown>(
    "",
    "cpu",
    "cuda:99",
    "meta",
    "mean",
    Symbol("s"),
    5n,
    {},
    [],
    () => 1,
    new Float32Array(2),
    new Date(),
  ),
  fc.constantFrom<unknown>(
    [-1],
    [2 ** 40, 2 ** 40],
    [2 ** 62],
    [1, 1],
    [Number.NaN],
    [null],
    ["2"],
    [[1]],
    [disposed],
    [foreign],
  ),
  fc.array(fc.constantFrom<unknown>(0, 1, 2, -1, -3, kept[0]!.handle, kept[3]!.handle), { maxLength: 3 }),
);

/** Runs a call that may fail, and says how it failed: always with one line that starts with a name. */
function attempt(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(/^[\w:]+: [^\n]+$/);
  }
}

describe("hostile arguments never end the process", () => {
  test("a foreign external is at hand", () => {
    expect(typeof foreign).toBe("object");
    expect(() => native().describe(foreign as Handle)).toThrow("describe: expected a tensor");
    expect(() => native().describe(disposed)).toThrow("describe: a tensor was used after it was disposed");
  });

  test("every operator", () => {
    const operators = fc.constantFrom(...indices);
    fc.assert(
      fc.property(operators, fc.array(hostile, { maxLength: 9 }), ({ index }, args) => {
        attempt(() => native().call(index, args as never));
      }),
      { numRuns: 6000, seed: Number(process.env.FUZZ_SEED ?? 1) },
    );
  });

  test("every operator, once with a tensor first", () => {
    fc.assert(
      fc.property(fc.constantFrom(...indices), fc.array(hostile, { maxLength: 5 }), ({ index }, rest) => {
        const own = tensor([1, 2, 3, 4], [2, 2]);
        attempt(() => native().call(index, [own.handle, ...rest] as never));
        own.dispose();
      }),
      { numRuns: 6000, seed: Number(process.env.FUZZ_SEED ?? 1) },
    );
  });

  test("every other export of the addon", () => {
    const skipped = new Set(["call", "setThreads", "setErrorClass", "setGradEnabled", "dispose"]);
    const names = Object.keys(native()).filter((name) => !skipped.has(name));
    const exports = native() as unknown as Record<string, (...args: unknown[]) => unknown>;
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.array(hostile, { maxLength: 11 }), (name, args) => {
        attempt(() => exports[name]!(...args));
      }),
      { numRuns: 4000, seed: Number(process.env.FUZZ_SEED ?? 1) },
    );
  });

  test("dispose, setThreads and setGradEnabled", () => {
    for (const value of [foreign, null, 1, "x", {}]) attempt(() => native().dispose(value as Handle));
    for (const value of [0, -1, 1025, Number.NaN, "2", null]) attempt(() => native().setThreads(value as number));
    for (const value of [0, null, "x"]) attempt(() => native().setGradEnabled(value as never));
    expect(native().threads()).toBeGreaterThan(0);
  });

  test("numbers that stand for no element type or layout", () => {
    const [to] = indices.filter(({ name }) => name === "to.dtype");
    const own = tensor([1, 2]);
    for (const code of [-1, 99, 2 ** 40]) {
      expect(() => native().call(to!.index, [own.handle, code])).toThrow(/^aten::to: argument "dtype": there is no /);
      expect(() => native().fromBytes(new ArrayBuffer(4), 0, 4, [1], code)).toThrow("fromBytes: unknown scalar type");
    }
  });

  test("an operator or an overload that does not exist", () => {
    expect(() => native().findOperator("aten::nothing", "")).toThrow(
      /^findOperator: libtorch .* has no operator aten::nothing$/,
    );
    expect(() => native().call(10 ** 6, [])).toThrow("call: unknown operator");
  });
});
