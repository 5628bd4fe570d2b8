import { createInterface } from "node:readline";
import { versions } from "../../src/engine/index.js";

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Says what our side is, and then answers each line of JSON by one; see `Child`, which asks. */
export async function answerLines<Command>(
  answer: (command: Command) => object | Promise<object>,
): Promise<void> {
  const { libtorch, cpuCapability } = versions();
  say({ ready: `libtorch ${libtorch}`, capability: cpuCapability });
  for await (const line of createInterface({ input: process.stdin }))
    say(await answer(JSON.parse(line) as Command));
}
