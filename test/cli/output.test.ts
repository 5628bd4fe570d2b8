import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  colors,
  configureOutput,
  note,
  out,
  outputWidth,
  progressStyle,
  removeLiveLines,
  showLiveLine,
  tableWidth,
  warn,
} from "../../src/cli/frame/output.js";
import { visibleWidth } from "../../src/report/table.js";
import { captureOutput } from "./captured-output.js";

describe("output", () => {
  it("sends results to standard output and remarks to standard error", () => {
    using captured = captureOutput();
    out("row");
    note("remark");
    warn("warning");
    expect([captured.stdout.text, captured.stderr.text]).toEqual(["row\n", "remark\nwarning\n"]);
  });

  it("keeps remarks back when quiet, warnings not", () => {
    using captured = captureOutput({ quiet: true });
    note("remark");
    warn("warning");
    expect(captured.stderr.text).toBe("warning\n");
  });

  it("takes a terminal that says 0 columns for one of 80", () => {
    using _ = captureOutput({ terminal: true, columns: 0 });
    expect([outputWidth(), tableWidth(), progressStyle().columns]).toEqual([80, 80, 80]);
  });

  it("takes a live line away before other output and puts it back", () => {
    using captured = captureOutput({ terminal: true });
    showLiveLine(captured, "50%");
    note("remark");
    showLiveLine(captured, undefined);
    expect(captured.stderr.text).toBe("50%\r\u001b[2Kremark\n50%\r\u001b[2K");
  });

  it("shows the live lines of several owners one below the other", () => {
    using captured = captureOutput({ terminal: true });
    const [first, second] = [{}, {}];
    showLiveLine(first, "a");
    showLiveLine(second, "b");
    showLiveLine(first, undefined);
    removeLiveLines();
    const clearLine = "\r\u001b[2K";
    expect(captured.stderr.text).toBe(`a${clearLine}a\nb${clearLine}\u001b[1A\u001b[2Kb${clearLine}`);
  });

  it("shows no more live lines than fit, and clears as many as it has drawn", () => {
    using captured = captureOutput({ terminal: true });
    Object.assign(captured.stderr, { rows: 3 });
    const [first, second, third] = [{}, {}, {}];
    showLiveLine(first, "a");
    showLiveLine(second, "b");
    captured.stderr.text = "";
    showLiveLine(third, "c");
    showLiveLine(first, undefined);
    removeLiveLines();
    const clearTwo = "\r\u001b[2K\u001b[1A\u001b[2K";
    expect(captured.stderr.text).toBe(`${clearTwo}a\nb${clearTwo}b\nc${clearTwo}c\r\u001b[2K`);
  });

  it.each([
    ["a terminal", true, {}, true],
    ["a pipe", false, {}, false],
    ["NO_COLOR", true, { NO_COLOR: "1" }, false],
    ["an empty NO_COLOR", true, { NO_COLOR: "" }, true],
    ["a dumb terminal", true, { TERM: "dumb" }, false],
  ])("colors on %s", (_, terminal, environment, colored) => {
    using captured = captureOutput({ terminal, environment });
    expect(captured.stdout.isTTY).toBe(terminal);
    expect(colors().red("x") !== "x").toBe(colored);
    configureOutput({ color: false });
    expect(colors().red("x")).toBe("x");
  });

  it("escapes what a name would do to the terminal, in all it writes", () => {
    const hostile = "x\u001b]0;owned\u0007\u001b[31m\u001b[1m\u001b[2J\u009bm\r";
    const shown = "x\\u001b]0;owned\\u0007\\u001b[31m\\u001b[1m\\u001b[2J\\u009bm\\u000d";
    using captured = captureOutput({ terminal: true });
    out(hostile);
    note(hostile);
    warn(hostile);
    expect([captured.stdout.text, captured.stderr.text]).toEqual([`${shown}\n`, `${shown}\n${shown}\n`]);
    captured.stderr.text = "";
    showLiveLine(captured, `${hostile}\nsecond`);
    removeLiveLines();
    expect(captured.stderr.text).toBe(`${shown} second\r\u001b[2K`);
  });

  it("lets its own colors through, also around a name that has some, and one within another", () => {
    using captured = captureOutput({ terminal: true });
    const { bold, dim, red } = colors("stdout");
    out(`${red("error:")} ${bold(`a ${dim("b")} c`)} ${red("x\u001b[0my")}`);
    expect(captured.stdout.text).toBe(
      "\u001b[31merror:\u001b[39m \u001b[1ma \u001b[2mb\u001b[22m\u001b[1m c\u001b[22m \u001b[31mx\\u001b[0my\u001b[39m\n",
    );
    expect(visibleWidth(red("four"))).toBe(4);
  });

  it("cuts long names in warnings, and warnings without end, but no result", () => {
    using captured = captureOutput();
    const name = `a/${"b".repeat(20_000_000)}.pt`;
    warn(`cannot read ${name}: it is not there`);
    expect(captured.stderr.text).toMatch(/^cannot read a\/b+…b+\.pt: it is not there\n$/);
    expect(captured.stderr.text.length).toBeLessThan(250);
    captured.stderr.text = "";
    warn("line\n".repeat(1_000_000));
    expect(captured.stderr.text.length).toBeLessThan(17_000);
    out("c".repeat(1000));
    expect(captured.stdout.text).toBe(`${"c".repeat(1000)}\n`);
  });

  it("says in one line that its output cannot be written", () => {
    const module = fileURLToPath(new URL("../../src/cli/frame/output.ts", import.meta.url));
    const script = `import(${JSON.stringify(module)}).then(({ watchOutput, out }) => { watchOutput(70); out("x"); })`;
    const command = `"${process.execPath}" --import tsx -e '${script}' > /dev/full`;
    const { status, stderr } = spawnSync("bash", ["-c", command], { encoding: "utf8", timeout: 30_000 });
    expect([status, stderr]).toEqual([
      70,
      "error: cannot write the output: ENOSPC: no space left on device, write\n",
    ]);
  });

  it("ends quietly when the reader of a pipe has gone", () => {
    const module = fileURLToPath(new URL("../../src/cli/frame/output.ts", import.meta.url));
    const script = `import(${JSON.stringify(module)}).then(({ watchOutput, out }) => {
      watchOutput();
      const more = () => { for (let i = 0; i < 1000; i++) out("line"); setImmediate(more); };
      more();
    })`;
    const command = `"${process.execPath}" --import tsx -e '${script}' | head -n 1; echo "codes \${PIPESTATUS[*]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", command], { encoding: "utf8", timeout: 30_000 });
    expect([stdout, stderr]).toEqual(["line\ncodes 0 0\n", ""]);
  });
});
