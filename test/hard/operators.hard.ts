import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { call, operator, schemaOf } from "../../src/engine/dispatch.js";
import { grad, Tensor } from "../../src/engine/index.js";
import { native } from "../../src/engine/native.js";
import { amount, Chance } from "./amounts.js";
import { Arguments, parametersOf } from "./arguments.js";

const calls = amount(20_000, 100_000);

/** Operators that make as many bytes as they are told, or take minutes for a large number. */
const boundless = /::(arange|full|ones|zeros|empty|eye|randperm|linspace|one_hot|repeat|repeat_interleave)$/;

const source = readFileSync(fileURLToPath(new URL("../../src/engine/operators.ts", import.meta.url)), "utf8");
const operators = [...source.matchAll(/operator\("([^"]+)", "([^"]*)"\)/g)]
  .map(([, name, overload]) => operator(name!, overload!))
  .filter(({ name }) => !boundless.test(name))
  .map((op) => ({ op, parameters: parametersOf(schemaOf(op)) }));

/** The addon's own functions, which have no schema: they check every argument themselves. */
const kernels = [
  "quantizeActivation",
  "convBlock",
  "countedUniform",
  "sgdUpdate",
  "signStep",
  "signStep_",
  "weightedDraws",
].concat([
  ...["fromBytes", "toBytes", "describe", "writeBytes", "setRequiresGrad", "setCollectable", "grad"],
]);

const own = ["TensorError", "RangeError", "TypeError", "UseAfterDisposeError", "Error"];
const internal = /INTERNAL ASSERT|please report a bug|basic_string|vector::|bad_alloc|std::/;

const handles = (value: unknown): unknown => {
  if (value instanceof Tensor) return value.disposed ? {} : value.handle;
  return Array.isArray(value) && value.length < 50 ? value.map(handles) : value;
};

test(`${calls} calls with random arguments end in a result or an error of this project's`, () => {
  const chance = new Chance(2026);
  const given = new Arguments(chance);
  const functions = native() as unknown as Record<string, (...words: unknown[]) => unknown>;
  // A crash ends this process: the file then tells of its call.
  const journal = join(tmpdir(), "sqa-hard-operators");
  const raw = new Map<string, string>();
  let done = 0;
  for (let i = 0; i < calls; i++) {
    const kind = chance.pick(["schema", "schema", "schema", "kernel", "grad"]);
    let [name, work] = ["grad", (): unknown => grad(given.tensor(), [given.tensor()])];
    if (kind === "schema") {
      const { op, parameters } = chance.pick(operators);
      const words = parameters.map((parameter) => given.of(parameter));
      [name, work] = [op.name, () => call(op, words as Parameters<typeof call>[1])];
    } else if (kind === "kernel") {
      const kernel = chance.pick(kernels.filter((one) => functions[one] !== undefined));
      const words = Array.from({ length: 1 + chance.int(12) }, () => handles(given.any()));
      [name, work] = [kernel, () => functions[kernel]!(...words)];
    }
    if (i % 50 === 0) writeFileSync(journal, `${i} ${name}\n`);
    try {
      given.keep(work());
      done++;
    } catch (error) {
      const { name: errorName, message } = error as Error;
      if (!own.includes(errorName) || internal.test(message)) raw.set(`${name}: ${errorName}`, message);
    }
  }
  process.stderr.write(`operators: ${calls} calls, ${done} of them with a result\n`);
  expect([...raw]).toEqual([]);
});
