import { describeOptions, type OptionShape } from "../../../options/index.js";
import type { Command, CommandEntry, Menu } from "../../frame/command.js";
import { shapesOf } from "../../frame/command-line.js";
import { isMenu } from "../../frame/menu.js";
import { kebabCase } from "../../frame/option-names.js";
import { lists } from "../list/kinds.js";

/** Option as a shell completes it. */
export interface CompletedOption {
  /** With its dashes. */
  readonly flag: string;
  readonly description: string;
  /** A value follows; a shell offers `values`, or files where there are none. */
  readonly takesValue: boolean;
  readonly values: readonly string[];
}

/** Command as a shell completes it. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** Words that its operands may be; files where there are none. */
  readonly operands: readonly string[];
}

/** Lists whose names an option takes, by its placeholder. */
const listsOf: Readonly<Record<string, readonly string[]>> = {
  MODEL: ["models"],
  ARCHITECTURE: ["models"],
  IMAGES: ["data"],
  METHOD: ["methods", "attacks"],
  ATTACK: ["attacks"],
  DEFENSE: ["defenses"],
  OPTIMIZER: ["optimizers"],
  SCHEDULE: ["schedules"],
  AUGMENTATION: ["augmentations"],
  GUARD: ["guards"],
  CHECK: ["checks"],
  TABLE: ["tables"],
};

async function valuesOf(shape: OptionShape): Promise<string[]> {
  const item = shape.items || shape;
  if (item.enum !== undefined) return item.enum.map(String);
  const names: string[] = [];
  for (const list of listsOf[item.placeholder ?? ""] ?? []) {
    names.push(...(await lists[list]!.entries()).map(({ name }) => name));
  }
  return [...new Set(names)];
}

/** Options that every command has. */
export const globalOptions: readonly CompletedOption[] = [
  { flag: "--import", description: "module to load first", takesValue: true, values: [] },
  { flag: "--quiet", description: "no progress and no remarks", takesValue: false, values: [] },
  { flag: "--debug", description: "show where an error comes from", takesValue: false, values: [] },
  { flag: "--no-color", description: "no colors", takesValue: false, values: [] },
  { flag: "--help", description: "show the help", takesValue: false, values: [] },
];

const config: CompletedOption = {
  flag: "--config",
  description: "YAML file with options",
  takesValue: true,
  values: [],
};

async function completed(name: string, summary: string, command: Command): Promise<CompletedCommand> {
  const shapes = shapesOf(command);
  const options: CompletedOption[] = [];
  for (const row of describeOptions(command.options)) {
    const shape = shapes.get(row.name);
    if (shape === undefined) continue;
    const takesValue = shape.type !== "boolean";
    const values = takesValue ? await valuesOf(shape) : [];
    // A shell shows a line of it; what stands in parentheses is in the help.
    const description = row.description.replace(/[(;].*$/s, "").trim();
    options.push({ flag: `--${kebabCase(row.name)}`, description, takesValue, values });
  }
  const operands = (command.operands ?? []).flatMap(({ words = [] }) => words);
  return { name, summary, options: [...options, config, ...globalOptions], operands };
}

/** Menu as one command: its choices as operands, with the options of them all. */
async function completedMenu(name: string, summary: string, menu: Menu): Promise<CompletedCommand> {
  const choices = await completedCommands(menu.commands());
  const options = new Map(choices.flatMap((choice) => choice.options.map((option) => [option.flag, option])));
  return { name, summary, options: [...options.values()], operands: choices.map((choice) => choice.name) };
}

/** Everything that a shell can complete. */
export async function completedCommands(
  table: Readonly<Record<string, CommandEntry>>,
): Promise<CompletedCommand[]> {
  const commands: CompletedCommand[] = [];
  for (const [name, { summary, load }] of Object.entries(table)) {
    const loaded = await load();
    commands.push(
      isMenu(loaded) ? await completedMenu(name, summary, loaded) : await completed(name, summary, loaded),
    );
  }
  return commands;
}
