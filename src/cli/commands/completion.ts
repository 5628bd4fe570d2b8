import * as z from "zod";
import { unknownName } from "../../base/index.js";
import { defineCommand } from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { out } from "../frame/output.js";
import { UsageError } from "../frame/usage-error.js";
import { scripts } from "./completion/scripts.js";
import { completedCommands } from "./completion/words.js";

const shells = Object.keys(scripts) as (keyof typeof scripts)[];

/** `sqa completion bash`: a script that completes commands, options and names. */
export const completionCommand = defineCommand({
  name: "completion",
  summary: "print a script that completes commands and options in a shell",
  description:
    "Print a script that makes a shell complete commands, options, and names of attacks, models and the " +
    "like. With --import it also completes the names that those modules register. The command sqa must be " +
    "found by the shell: npx sqa is not completed. In a project, put node_modules/.bin on PATH.",
  operands: [{ name: "shell", description: shells.join(", "), words: shells }],
  options: z.strictObject({}),
  endsAtOnce: true,
  examples: [
    `eval "$(sqa completion bash)"    # in ~/.bashrc`,
    `eval "$(sqa completion zsh)"     # in ~/.zshrc, after compinit`,
    "sqa completion fish > ~/.config/fish/completions/sqa.fish",
  ],
  async run(_, { operands: [shell], commands }) {
    const script = Object.hasOwn(scripts, shell!) ? scripts[shell as keyof typeof scripts] : undefined;
    if (script === undefined) throw new UsageError(unknownName("shell", shell!, shells).message);
    out(script(await completedCommands(commands)).trimEnd());
    return exitCode.done;
  },
});
