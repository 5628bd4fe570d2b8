import { lists } from "../../src/cli/commands/list/kinds.js";
import type { Command, CommandEntry } from "../../src/cli/frame/command.js";
import { parseLine } from "../../src/cli/frame/command-line.js";
import { isMenu } from "../../src/cli/frame/menu.js";
import { configureOutput } from "../../src/cli/frame/output.js";
import { commands } from "../../src/cli/main.js";
import { type Definition, describeOptions } from "../../src/options/index.js";

const generated = "Written by `npm run docs:reference` from the code; do not edit.";

/** A cell of a table: a bar would end it. */
const cell = (text: string) => text.replaceAll("|", "\\|").replace(/\s+/g, " ");

const row = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;

/** Order of names. What a module exports comes in an order that depends on who loads it. */
const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1);

/** Every command below some entries, in order. */
async function commandsOf(entries: Readonly<Record<string, CommandEntry>>): Promise<Command[]> {
  const found: Command[] = [];
  for (const entry of Object.values(entries)) {
    const command = await entry.load();
    if (!isMenu(command)) found.push(command);
    else found.push(...(await commandsOf(command.commands())).sort(byName));
  }
  return found;
}

/** Help as a file gets it: no colors, 100 columns. */
function helpOf(command: Command): string {
  const restore = configureOutput({ stdout: { write: () => true } });
  try {
    return parseLine(command, ["--help"]).help!.trimEnd();
  } finally {
    restore();
  }
}

async function commandsPage(): Promise<string> {
  const all = await commandsOf(commands);
  const parts = all.map((command) => `## sqa ${command.name}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`);
  const links = all.map(
    ({ name, summary }) => `- [sqa ${name}](#sqa-${name.replaceAll(" ", "-")}): ${summary}`,
  );
  return `# Commands\n\n${generated}\n\n${links.join("\n")}\n\n${parts.join("\n")}`;
}

/** An entry's section: its summary, and a table of its options. */
function section({
  name,
  summary,
  options,
  takes,
}: Pick<Definition, "name" | "summary" | "options" | "takes">) {
  const rows = describeOptions(options).map((option) =>
    row([
      `\`${option.name}\``,
      option.required ? "(required)" : (option.default ?? ""),
      option.type,
      option.description,
    ]),
  );
  const table = ["| option | default | accepted | meaning |", "| --- | --- | --- | --- |", ...rows];
  const made = takes === undefined ? "" : ` Made of ${takes}.`;
  const end = /[?.]$/.test(summary) ? "" : ".";
  const sentence = `${summary[0]!.toUpperCase()}${summary.slice(1)}${end}${made}`;
  return [`## ${name}`, "", sentence, "", ...(rows.length === 0 ? ["No options."] : table), ""].join("\n");
}

/** End of the sentence on how entries are written, with the first that has an option as the example. */
function writtenAs(entries: readonly Pick<Definition, "name" | "options">[]): string {
  for (const { name, options } of entries) {
    const option = describeOptions(options).find((one) => one.default !== undefined);
    if (option === undefined) continue;
    const example = `${name}(${option.name}=${option.default})`;
    return `is written by its name; options stand in parentheses, as in\n\`${example}\`.`;
  }
  return `is written by its name, such as \`${entries[0]!.name}\`.`;
}

async function kindPage(word: string): Promise<string> {
  const { thing, entries } = lists[word]!;
  const all = [...(await entries())].sort(byName);
  const title = word === "data" ? "Data sets" : `${word[0]!.toUpperCase()}${word.slice(1)}`;
  const intro = [generated, `${/^[aeiou]/.test(thing) ? "An" : "A"} ${thing} ${writtenAs(all)}`].join("\n");
  return `# ${title}\n\n${intro}\n\n${all.map(section).join("\n")}`;
}

/** Pages of docs/reference/: names and texts. */
export async function referencePages(): Promise<[name: string, text: string][]> {
  const pages: [string, string][] = [["commands.md", await commandsPage()]];
  for (const word of Object.keys(lists)) pages.push([`${word}.md`, await kindPage(word)]);
  const titles = pages.map(([name, text]) => `- [${/^# (.*)$/m.exec(text)![1]}](${name})`);
  const note =
    "Exports of the package are documented where an editor shows them: `dist/index.d.ts` and its subpaths.";
  pages.push(["README.md", `# Reference\n\n${generated}\n\n${titles.join("\n")}\n\n${note}\n`]);
  return pages;
}
