import type * as z from "zod";
import { GLOBAL_NAMES } from "./global-options.js";

/** Word of the command line that is no option, such as the run folder of `sqa evaluate runs/small`. */
export interface Operand {
  readonly name: string;
  readonly description: string;
  readonly optional?: boolean;
  readonly variadic?: boolean;
  /** Words that it may be, which a shell completes; a path or a name where left out. */
  readonly words?: readonly string[];
}

/** Context of a command beside its options. */
export interface CommandContext {
  /** The operands, in order. */
  readonly operands: readonly string[];
  /** Aborted by the first Ctrl-C: stop where the work can go on later. */
  readonly signal: AbortSignal;
  /** Paths of modules that were loaded first, by `--import`. */
  readonly imports: readonly string[];
  /** Every command of the program. */
  readonly commands: Readonly<Record<string, CommandEntry>>;
}

/**
 * Command. `options` is a z.strictObject: its keys are the long options (`stepSize` is `--step-size`) and the
 * keys of a `--config` file, its types, defaults and descriptions are checks and help. A boolean is `--flag`
 * and `--no-flag`. An array is repeated, and `--no-NAME` is the empty list. `.meta({ hidden: true })` is for
 * files alone. `run` returns the exit code.
 */
export interface Command<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly operands?: readonly Operand[];
  readonly options: Schema;
  /** Options by other names that a `--config` file may give them, such as those of a run's config.json. */
  readonly fileKeys?: Readonly<Record<string, keyof z.output<Schema> & string>>;
  /** Nothing of it is kept when it stops: Ctrl-C ends the process at once, also within a long native call. */
  readonly endsAtOnce?: boolean;
  /** Whole command lines, shown in the help. */
  readonly examples: readonly string[];
  run(options: z.output<Schema>, context: CommandContext): Promise<number>;
}

/** Command by its name: its line in a menu's help, and the way to load the rest. */
export interface CommandEntry {
  readonly summary: string;
  /** Its exit codes 1 and 2 are answers, as a criterion's are: an error then ends with `exitCode.broken`. */
  readonly answersByCode?: boolean;
  load(): Promise<Command | Menu>;
}

/** Commands among which a word chooses, such as those of `sqa`, and the tables of `sqa paper`. */
export interface Menu {
  /** Words that lead to it. */
  readonly name: string;
  readonly description: string;
  /** One of its choices in messages. */
  readonly thing: string;
  /** Shows its help where no choice is given; else that is a usage error. */
  readonly showsHelp?: boolean;
  /** Choices by name; more of them where modules have registered some. */
  commands(): Readonly<Record<string, CommandEntry>>;
  readonly examples: readonly string[];
  readonly version?: string;
}

/** Declares a command; a TypeError says what of it would be hidden from users. */
export function defineCommand<Schema extends z.ZodObject>(command: Command<Schema>): Command<Schema> {
  if (command.examples.length === 0) throw new TypeError(`command "${command.name}" must have an example`);
  for (const option of Object.keys(command.options.shape)) {
    if (GLOBAL_NAMES.includes(option) || /^no[A-Z]/.test(option) || !/^[a-z][A-Za-z0-9]*$/.test(option)) {
      throw new TypeError(
        `option "${option}" of command "${command.name}" must be camelCase, not begin with "no", and not ` +
          "be one of " +
          GLOBAL_NAMES.join(", "),
      );
    }
  }
  return command;
}
