import type * as z from "zod";

/** A word of the command line that is no option, such as the run folder of `sqa evaluate runs/small`. */
export interface Operand {
  readonly name: string;
  readonly description: string;
  readonly optional?: boolean;
  readonly variadic?: boolean;
}

/** What a command is told beside its options. */
export interface CommandContext {
  /** The operands, in order. */
  readonly operands: readonly string[];
  /** Aborted by the first Ctrl-C: stop where the work can go on later. */
  readonly signal: AbortSignal;
}

/**
 * A command. `options` is a z.strictObject: its keys are the long options (`stepSize` is `--step-size`) and the keys of a
 * `--config` file, its types, defaults and descriptions are checks and help. A boolean is `--flag` and `--no-flag`, an array
 * is repeated, a union of a boolean and something else takes its value or stands alone. `run` returns the exit code.
 */
export interface Command<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly operands?: readonly Operand[];
  readonly options: Schema;
  /** Nothing of it is kept when it stops: Ctrl-C ends the process at once, also within a long native call. */
  readonly endsAtOnce?: boolean;
  /** Whole command lines, shown in the help. */
  readonly examples: readonly string[];
  run(options: z.output<Schema>, context: CommandContext): Promise<number>;
}

/** A command by its name: what `sqa --help` shows of it, and how to load the rest. */
export interface CommandEntry {
  readonly summary: string;
  load(): Promise<Command>;
}

/** Declare a command; a TypeError says what of it would be hidden from users. */
export function defineCommand<Schema extends z.ZodObject>(command: Command<Schema>): Command<Schema> {
  if (command.examples.length === 0) throw new TypeError(`command "${command.name}" must have an example`);
  for (const option of Object.keys(command.options.shape)) {
    if (GLOBAL_OPTIONS.includes(option) || /^no[A-Z]/.test(option) || !/^[a-z][A-Za-z0-9]*$/.test(option)) {
      throw new TypeError(
        `option "${option}" of command "${command.name}" must be camelCase, not begin with "no", and not be one of ` +
          GLOBAL_OPTIONS.join(", "),
      );
    }
  }
  return command;
}

const GLOBAL_OPTIONS: readonly string[] = ["config", "quiet", "debug", "color", "help", "version"];
