import { checkWritable, ForeignFileError, makeFolder } from "../../base/index.js";

/**
 * A command was called in a wrong way: the message is shown with a hint at the help, and the exit code is 64.
 */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** Words whose help is hinted at; those of the command that was called where left out. */
  readonly program: string | undefined;

  constructor(message: string, { program, ...options }: ErrorOptions & { readonly program?: string } = {}) {
    super(message, options);
    this.program = program;
  }
}

/**
 * Passes events on; TypeErrors and RangeErrors before the first, while nothing has begun, are usage errors.
 */
export async function* usageUntilBegun<Event>(
  events: AsyncIterable<Event>,
): AsyncGenerator<Event, void, undefined> {
  let begun = false;
  try {
    for await (const event of events) {
      begun = true;
      yield event;
    }
  } catch (error) {
    if (begun) throw error;
    asUsage(() => {
      throw error;
    });
  }
}

/** Runs a check of what the user wrote: its TypeErrors, RangeErrors and ForeignFileErrors are of usage. */
export function asUsage<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    const isRefusal =
      error instanceof TypeError || error instanceof RangeError || error instanceof ForeignFileError;
    if (isRefusal) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** Makes the folder of an option, and finds out before any work whether files can be written into it. */
export function prepareFolder(option: string, folder: string): void {
  try {
    makeFolder(folder);
    checkWritable(folder);
  } catch (error) {
    throw new UsageError(`${option} ${folder}: ${(error as Error).message}`, { cause: error });
  }
}
