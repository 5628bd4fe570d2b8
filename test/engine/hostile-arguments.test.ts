import { spawnSync } from "node:child_process";
import { createSecureContext } from "node:tls";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { functions, laterOperators, methods } from "../../scripts/operator-list.js";
import { TensorError } from "../../src/base/index.js";
import { operator } from "../../src/engine/dispatch.js";
import { operators, tensor, versions } from "../../src/engine/index.js";
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
  fc.constantFrom<unknown>(
    ...kept.map((item) => item.handle),
    disposed,
    foreign,
    null,
    undefined,
    true,
    false,
  ),
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
    fc.assert(
      fc.property(fc.constantFrom(...indices), fc.array(hostile, { maxLength: 9 }), ({ index }, args) => {
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
    // A limit of memory that is taken would end every test after it.
    const settings = ["setThreads", "setErrorClass", "setGradEnabled", "limitMemory"];
    const skipped = new Set(["call", "dispose", ...settings]);
    const names = Object.keys(native()).filter((name) => !skipped.has(name));
    const exports = native() as unknown as Record<string, (...args: unknown[]) => unknown>;
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.array(hostile, { maxLength: 11 }), (name, args) => {
        attempt(() => exports[name]!(...args));
      }),
      { numRuns: 4000, seed: Number(process.env.FUZZ_SEED ?? 1) },
    );
  });

  test("dispose, setThreads, limitMemory and setGradEnabled", () => {
    for (const value of [foreign, null, 1, "x", {}]) attempt(() => native().dispose(value as Handle));
    for (const value of [0, -1, 1025, Number.NaN, "2", null])
      attempt(() => native().setThreads(value as number));
    for (const value of [-2, Number.NaN, 2 ** 80, "2", null, {}])
      attempt(() => native().limitMemory(value as number));
    native().limitMemory(-1);
    for (const value of [0, null, "x"]) attempt(() => native().setGradEnabled(value as never));
    expect(native().threads()).toBeGreaterThan(0);
  });

  test("numbers that stand for no element type or layout", () => {
    const [to] = indices.filter(({ name }) => name === "to.dtype");
    const own = tensor([1, 2]);
    for (const code of [-1, 99, 2 ** 40]) {
      expect(() => native().call(to!.index, [own.handle, code])).toThrow(
        /^aten::to: argument "dtype": there is no /,
      );
      expect(() => native().fromBytes(new ArrayBuffer(4), 0, 4, [1], code)).toThrow(
        "fromBytes: unknown scalar type",
      );
    }
  });

  test("an operator or an overload that does not exist", () => {
    expect(() => native().findOperator("aten::nothing", "")).toThrow(
      /^findOperator: libtorch .* has no operator aten::nothing$/,
    );
    expect(() => native().call(10 ** 6, [])).toThrow("call: unknown operator");
  });
});

describe("an argument that runs a program while it is read", () => {
  /** A list of one element that is got by a function. */
  const listBy = <T>(get: () => T): T[] => Object.defineProperty([] as T[], 0, { get, enumerable: true });
  const count = 2 ** 16;

  test.each([
    ["shrinks", (buffer: ArrayBuffer) => (buffer as ArrayBuffer & { resize(size: number): void }).resize(0)],
    ["is given away", (buffer: ArrayBuffer) => void structuredClone(buffer, { transfer: [buffer] })],
  ])("reads nothing of a buffer that %s", (_, end) => {
    const buffer = new (ArrayBuffer as new (size: number, options: object) => ArrayBuffer)(4 * count, {
      maxByteLength: 4 * count,
    });
    const shape = listBy(() => {
      if (buffer.byteLength > 0) end(buffer);
      return count;
    });
    expect(() => native().fromBytes(buffer, 0, 4 * count, shape, 6)).toThrow(
      "fromBytes: the bytes lie outside the buffer",
    );
  });

  test("makes a tensor of the shape that is read first", () => {
    let reads = 0;
    const data = new Float32Array(4).fill(3);
    const made = tensor(
      data,
      listBy(() => (reads++ === 0 ? 4 : 2 ** 30)),
    );
    expect([made.shape, made.toNumbers(), reads]).toEqual([[4], [3, 3, 3, 3], 1]);
  });

  test("may dispose tensors that were read before it", () => {
    const ids = tensor([0, 1], [2], "int64");
    const shape = listBy(() => {
      ids.dispose();
      return 3;
    });
    const disposedByThen = "a tensor was used after it was disposed";
    const words = [1, 0, 0, 0, null] as const;
    expect(() => native().countedUniform(ids.handle, shape, ...words)).toThrow(disposedByThen);

    const [parameter, gradient, factor] = [tensor([1]), tensor([1]), tensor([-0.5])];
    const parameters = listBy(() => {
      factor.dispose();
      return parameter.handle;
    });
    const { handle } = factor;
    expect(() => native().sgdUpdate(parameters, [gradient.handle], [], handle, 0, 0, false)).toThrow(
      disposedByThen,
    );
    expect(parameter.toNumbers()).toEqual([1]);
  });

  test("and a list that claims more elements than it has is refused at once", () => {
    const sparse = new Array<number>(2 ** 32 - 1);
    expect(() => operators.zeros(sparse)).toThrow("a list of 4294967295 elements has none at 0");
    expect(() => tensor([1], sparse)).toThrow("shape must have at most 64 axes, not 4294967295");
  });
});

describe("devices other than cpu and cuda", () => {
  const zeros = operator("aten::zeros", "");
  const sizes = [2 ** 50, 2 ** 9];

  test.each(["meta", "mps", "xpu", "cuda0", "", "meta:0"])(
    "%j is refused by operators and by the addon",
    (device) => {
      const accepted = "must be cpu, cuda or cuda:N, not ";
      expect(() => operators.zeros(sizes, "float32", device)).toThrow(accepted + device);
      const index = native().findOperator(zeros.name, zeros.overload);
      expect(() => native().call(index, [sizes, 6, undefined, device])).toThrow(
        new TensorError(`aten::zeros: argument "device": a device ${accepted}${device}`),
      );
    },
  );
});

describe("libtorch's own checks", () => {
  test("are told without its file names and the way to report a bug", () => {
    const own = tensor(1).requireGrad();
    expect(() => native().grad([own.handle], [], null, false, false)).toThrow(
      /^grad: (libtorch does not take these arguments: )?grad requires non-empty inputs\.$/,
    );
  });

  test("of NaN in a matrix are ours, and nothing is written to standard output", () => {
    const script = `import(${JSON.stringify(fileURLToPath(new URL("../../src/engine/index.ts", import.meta.url)))}).then(
      ({ operators, tensor }) => {
        for (const wrong of [NaN, Infinity]) {
          try { operators.linalgSvdvals(tensor([wrong, 1, 1, 1], [2, 2])); } catch (error) { console.error(String(error)); }
        }
        console.error(operators.linalgSvdvals(tensor([3, 0, 0, 4], [2, 2])).toNumbers().map(Math.round).join());
      })`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "-e", script], {
      encoding: "utf8",
    });
    const refused =
      'TensorError: aten::linalg_svdvals: argument "A": it has elements that are NaN or infinite\n';
    expect([stdout, stderr]).toEqual(["", `${refused}${refused}4,3\n`]);
  });
});
