import type { CommanderError, Command as Parser } from "commander";

/** The options that `sqa` and every command have. */
export function addGlobalOptions(parser: Parser): Parser {
  return parser
    .option("--quiet", "no progress and no remarks")
    .option("--debug", "show where an error comes from")
    .option("--no-color", "no colors, as with NO_COLOR set")
    .helpOption("-h, --help", "show this help");
}

/** commander writes `error: unknown option '--epsiln'` and the nearest one on a second line; this is one line. */
export function plainMessage(error: CommanderError): string {
  return error.message.replace(/^error: /, "").replace(/\n\(Did you mean (.*)\?\)$/, '; did you mean "$1"?');
}
