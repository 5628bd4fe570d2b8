/** Runs the operator tests that test/golden/onnx_node_tests.py writes, and says how many pass. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type NodeCase, runCase } from "./node-cases.js";

/** Numbered files of a case, in their order. */
function numbered(folder: string, kind: "input" | "output"): Uint8Array[] {
  const files = readdirSync(folder).filter((file) => file.startsWith(`${kind}_`));
  return files.map((_, i) => readFileSync(join(folder, `${kind}_${i}.pb`)));
}

function caseIn(folder: string, name: string): NodeCase {
  const data = join(folder, name);
  const inner = readdirSync(data).includes("test_data_set_0") ? join(data, "test_data_set_0") : data;
  return {
    name,
    model: readFileSync(join(data, "model.onnx")),
    inputs: numbered(inner, "input"),
    outputs: numbered(inner, "output"),
  };
}

const [folder, ...wanted] = process.argv.slice(2);
if (folder === undefined) throw new Error("give the folder that test/golden/onnx_node_tests.py wrote");
const reasons = new Map<string, number>();
let [passed, failed] = [0, 0];
const write = (line: string) => process.stdout.write(`${line}\n`);
for (const name of readdirSync(folder).sort()) {
  if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
  const result = runCase(caseIn(folder, name));
  if (result.kind === "passed") passed++;
  else if (result.kind === "failed") {
    failed++;
    write(`FAILED ${name}: ${result.problem}`);
  } else reasons.set(result.reason, (reasons.get(result.reason) ?? 0) + 1);
}
write(`${passed} of ${passed + failed} applicable cases pass`);
const other = [...reasons].sort(([, a], [, b]) => b - a);
for (const [reason, count] of other) write(`  not applicable, ${count}: ${reason}`);
