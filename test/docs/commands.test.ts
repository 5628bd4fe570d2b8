import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Command, CommandEntry, Menu } from "../../src/cli/frame/command.js";
import { parseLine } from "../../src/cli/frame/command-line.js";
import { commands } from "../../src/cli/main.js";
import { checkOptions } from "../../src/options/index.js";
import { codeLines, examples, inlineCode, pages, read, root } from "./pages.js";

/**
 * Words of a line as a shell reads them: quotes are taken off; a comment, a redirection or `||` at the end is
 * left out.
 */
function wordsOf(line: string): string[] {
  const words = line.replace(/\s(?:[#>]|\|\|)\s.*$/, "").matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g);
  return [...words].map(([word]) => word.replace(/["']/g, ""));
}

/** Follows words through menus to a command; what is left are its options and operands. */
async function commandAt(
  words: readonly string[],
  entries: Readonly<Record<string, CommandEntry>>,
): Promise<{ command: Command; rest: readonly string[] } | undefined> {
  const [name, ...rest] = words;
  if (name === undefined) return undefined;
  const entry = Object.hasOwn(entries, name) ? entries[name]! : undefined;
  if (entry === undefined) throw new Error(`there is no command ${name}`);
  const found: Command | Menu = await entry.load();
  return "commands" in found ? commandAt(rest, found.commands()) : { command: found, rest };
}

/** Returns the complaint about a command line, or undefined where the program accepts it. */
async function complaint(line: string): Promise<string | undefined> {
  const words = wordsOf(line.replace(/^(?:npx |gpu\/run\.sh )?sqa\s+/, ""));
  const imports = words[0] === "--import";
  if (words.join(" ") === "--help") return undefined;
  try {
    const inPackage = words[1]?.startsWith("./examples/") === true;
    if (imports && inPackage && !existsSync(new URL(words[1]!, root)))
      return `${line}: there is no ${words[1]}`;
    const found = await commandAt(imports ? words.slice(2) : words, commands);
    // A page may name a command alone, such as `sqa audit`.
    if (found === undefined || found.rest.length === 0) return undefined;
    const { command, rest } = found;
    const { options } = parseLine(command, rest);
    // Names that a module registers are unknown here.
    if (imports) return undefined;
    const checked = checkOptions(command.options, options);
    return checked.ok ? undefined : `${line}: ${JSON.stringify(checked.faults)}`;
  } catch (error) {
    return `${line}: ${(error as Error).message}`;
  }
}

const isCommand = (line: string) => /^(npx sqa|sqa|gpu\/run\.sh sqa) [a-z-]/.test(line);

/** Command of a line of a shell, which may keep what it prints, or set a variable for it. */
const commandIn = (line: string) =>
  line
    .trim()
    .replace(/^\$ /, "")
    .replace(/^\w+=\$\((.*)\)$/, "$1")
    .replace(/^[A-Z_]+=\S+ /, "");

/** Command lines in blocks of code and in inline code of a page, and in comments of an example. */
const linesOf = (path: string) =>
  path.startsWith("docs/reference/")
    ? codeLines(read(path))
        .filter((line) => line.startsWith("  $ "))
        .map(commandIn)
        .filter(isCommand)
    : path.endsWith(".md")
      ? [...codeLines(read(path)), ...inlineCode(read(path))].map(commandIn).filter(isCommand)
      : [...read(path).matchAll(/\bnpx sqa [^\n`]*/g)].map(([line]) => line.replace(/ \*\/$/, ""));

/** Options of npm's scripts, which are no commands of `sqa`. */
const ofScripts = /^--(cifar10|libtorch|runs FOLDER|help|import FILE|seeds)\b/;

/** Returns an option that no command accepts as it is written, with its value if there is any. */
async function optionFault(code: string): Promise<string | undefined> {
  const [flag, ...values] = wordsOf(code);
  const named = [
    "train",
    "evaluate RUN",
    "audit RUN",
    "report AUDIT",
    "import FILE",
    "export RUN m.onnx",
    "merge DIR",
  ];
  const lines = [...named, "paper table1", "paper table2"].flatMap((line) =>
    values.length > 0 ? [`sqa ${line} ${code}`] : [`sqa ${line} ${flag}`, `sqa ${line} ${flag} X`],
  );
  const faults = await Promise.all(lines.map(complaint));
  const known = faults.some(
    (text) => text === undefined || (values.length === 0 && !/unknown option/.test(text)),
  );
  return known ? undefined : code;
}

describe("command lines", () => {
  it.each([...pages, ...examples])("are accepted as %s shows them", async (path) => {
    const complaints = await Promise.all(linesOf(path).map(complaint));
    expect(complaints.filter((text) => text !== undefined)).toEqual([]);
  });

  it.each(pages)("take the options that %s names", async (path) => {
    const options = inlineCode(read(path)).filter((code) => /^--[a-z]/.test(code) && !ofScripts.test(code));
    const faults = await Promise.all(options.map(optionFault));
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
  });

  it.each(pages)("of npm exist as %s shows them", (path) => {
    const { scripts } = JSON.parse(read("package.json"));
    const named = [...read(path).matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it.each(["--strong-limit", "--preset short"])("have no %s", async (code) => {
    expect(await optionFault(code)).toBe(code);
  });

  it("are found in the pages", () => {
    expect(pages.flatMap(linesOf).length).toBeGreaterThan(20);
  });

  it.each([
    ["npx sqa paper twin", "there is no command twin"],
    ["npx sqa train --network small", "--network"],
    ["npx sqa train --preset short", "preset"],
    ["sqa evaluate runs/NAME --attack 'pgd(epsilom=0.3)'", "epsilom"],
  ])("would be refused in a page: %s", async (line, reason) => {
    expect(await complaint(line)).toContain(reason);
  });
});
