import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { agrees } from "../../scripts/setup/ask.mjs";

/** Answer to a question at a terminal on which `line` is typed. */
function answer(line: string): { agreed: boolean; shown: string } {
  let shown = "";
  const write = (text: string) => {
    shown += text;
    return true;
  };
  const agreed = agrees("install cmake by apt-get?", { terminal: true, read: () => line, write });
  return { agreed, shown };
}

test("Enter and yes agree, anything else and the end of input do not", () => {
  expect(answer("\n")).toEqual({ agreed: true, shown: "install cmake by apt-get? [Y/n] " });
  for (const line of ["y\n", "Yes\n", "y\r\n"]) expect(answer(line).agreed, line).toBe(true);
  for (const line of ["n\n", "no\n", "", "what?\n"]) expect(answer(line).agreed, line).toBe(false);
});

test("without a terminal nobody is asked", () => {
  const code = `import { agrees } from ${JSON.stringify(new URL("../../scripts/setup/ask.mjs", import.meta.url).href)};
    process.stdout.write(String(agrees("install?")));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", code], {
    encoding: "utf8",
    input: "n\n",
  });
  expect([stdout, stderr]).toEqual(["true", ""]);
});
