import * as z from "zod";
import { unknownName } from "../../base/index.js";
import { describeOptions, listOptions } from "../../options/index.js";
import { wrapWords } from "../../report/index.js";
import { type Preset, presets } from "../../training/index.js";
import { defineCommand } from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { shownTable } from "../frame/look.js";
import { colors, out, outputWidth } from "../frame/output.js";
import { UsageError } from "../frame/usage-error.js";
import { type Entry, entriesNamed, lists } from "./list/kinds.js";
import { runsOf, runsTable } from "./list/runs.js";

/** Words that ask for a list. */
const words = [...Object.keys(lists), "presets", "runs"];

/** Lines of a list, its names in bold at the left, in as many columns as there are. */
function linesOf(entries: readonly (readonly [name: string, text: string, more: string])[]): string[] {
  const { dim } = colors();
  const width = Math.max(...entries.map(([name]) => name.length)) + 4;
  const margin = " ".repeat(width);
  return entries.flatMap(([name, text, more]) => [
    ...wrapWords(`${`  ${name}`.padEnd(width)}${text}`, outputWidth(), width),
    ...(more === "" ? [] : wrapWords(`${margin}${more}`, outputWidth(), width).map(dim)),
  ]);
}

async function overview(word: string): Promise<string> {
  const { bold } = colors();
  if (word === "presets") {
    const lines = Object.entries(presets).map(
      ([name, { summary, config }]) => [name, summary, configText(config)] as const,
    );
    return [bold("presets"), ...linesOf(lines)].join("\n");
  }
  const entries = (await lists[word]!.entries()).map(({ name, summary, options }) => {
    const listed = listOptions(options);
    return [name, summary, listed === "none" ? "" : listed] as const;
  });
  return [bold(word), ...linesOf(entries)].join("\n");
}

/** Options that a preset gives. */
function configText(config: object): string {
  return Object.entries(config)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join("; ") : value}`)
    .join(", ");
}

function page(list: string, { name, summary, options, takes, facts }: Entry): string {
  const { bold } = colors();
  const rows = describeOptions(options).map((row) => [
    row.name,
    row.default ?? (row.required ? "(required)" : ""),
    row.type,
    row.description,
  ]);
  const columns = ["option", "default", "accepted", "meaning"];
  const align = ["left", "left", "left", "left"] as const;
  const table = { columns, rows, align };
  const thing = `${bold(name)}, ${lists[list]!.thing}: ${summary}`;
  const about = [thing, ...(takes === undefined ? [] : [`made of ${takes}`]), ...(facts?.() ?? [])];
  return [
    ...about.flatMap((line) => wrapWords(line, outputWidth(), 2)),
    ...(rows.length === 0 ? [] : ["", shownTable(table)]),
  ].join("\n");
}

const entryJson = ({ name, summary, options }: Entry) => ({
  name,
  summary,
  options: describeOptions(options),
});

/** Preset of a name; undefined where there is none. */
function presetNamed(name: string): Preset | undefined {
  return Object.hasOwn(presets, name) ? presets[name as keyof typeof presets] : undefined;
}

/** Page of a preset: what it is for, and an option a line. */
function presetPage(name: string, { summary, config }: Preset): string {
  const lines = Object.entries(config).map(([option, value]) => configText({ [option]: value }));
  return [
    ...wrapWords(`${colors().bold(name)}, preset: ${summary}`, outputWidth(), 2),
    "",
    ...lines.flatMap((line) => wrapWords(`  ${line}`, outputWidth(), 4)),
  ].join("\n");
}

/** Pages of a name: of one list, or of every list that has it. */
async function pages(list: string | undefined, name: string, json: boolean): Promise<string> {
  const preset = list === undefined || list === "presets" ? presetNamed(name) : undefined;
  if (preset !== undefined)
    return json ? JSON.stringify({ kind: "preset", name, ...preset }) : presetPage(name, preset);
  if (list === "presets") throw new UsageError(unknownName("preset", name, Object.keys(presets)).message);
  const found = await entriesNamed(name, list === undefined ? Object.keys(lists) : [list]);
  if (found.length === 0) throw await notFound(list, name);
  if (!json) return found.map(([one, entry]) => page(one, entry)).join("\n\n");
  const objects = found.map(([one, entry]) => ({ kind: lists[one]!.thing, ...entryJson(entry) }));
  return JSON.stringify(objects.length === 1 ? objects[0] : objects);
}

async function notFound(list: string | undefined, name: string): Promise<UsageError> {
  const searched = list === undefined ? Object.keys(lists) : [list];
  const entries = await Promise.all(searched.map((one) => lists[one]!.entries()));
  const names = [
    ...entries.flatMap((some) => some.map((entry) => entry.name)),
    ...(list === undefined ? Object.keys(presets) : []),
  ];
  const thing = list === undefined ? "name" : lists[list]!.thing;
  // All names at once are too many to read.
  const { message } = unknownName(thing, name, list === undefined ? [...words, ...names] : names);
  const shown = list === undefined ? message.replace(/ known: .*$/, ` kinds: ${words.join(", ")}`) : message;
  return new UsageError(`${shown}; a name of your own needs --import FILE`);
}

async function allJson(chosen: readonly string[]): Promise<string> {
  const parts: [string, unknown][] = [];
  for (const word of chosen) {
    parts.push([word, word === "presets" ? presets : (await lists[word]!.entries()).map(entryJson)]);
  }
  return JSON.stringify(Object.fromEntries(parts));
}

/** `sqa list`: everything that can be named at the command line, with options and defaults; presets; runs. */
export const listCommand = defineCommand({
  name: "list",
  summary: "list attacks, models, data sets and the like with their options, presets, and runs",
  operands: [
    {
      name: "kind",
      description: `one of ${words.join(", ")}; or the name of an entry`,
      optional: true,
      words,
    },
    {
      name: "name",
      description: "entry to show with all its options; after runs, their folder",
      optional: true,
    },
  ],
  options: z.strictObject({ json: z.boolean().default(false).describe("print JSON") }),
  endsAtOnce: true,
  examples: ["sqa list", "sqa list attacks", "sqa list pgd", "sqa list presets", "sqa list runs my-runs"],
  async run({ json }, { operands: [word, name] }) {
    if (word === "runs") {
      const folder = name ?? "runs";
      out(json ? JSON.stringify(runsOf(folder)) : runsTable(folder));
    } else if (word !== undefined && (name !== undefined || !words.includes(word))) {
      const isList = Object.hasOwn(lists, word) || word === "presets";
      if (name !== undefined && !isList) throw new UsageError(unknownName("kind", word, words).message);
      out(await pages(isList ? word : undefined, name ?? word, json));
    } else {
      const chosen = word === undefined ? words.filter((one) => one !== "runs") : [word];
      if (json) out(await allJson(chosen));
      else {
        const parts: string[] = [];
        for (const one of chosen) parts.push(await overview(one));
        out(parts.join("\n\n"));
      }
    }
    return exitCode.done;
  },
});
