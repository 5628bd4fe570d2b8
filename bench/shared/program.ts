import { mkdirSync, writeFileSync } from "node:fs";

/** Tells on the terminal how far a benchmark is. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Runs a program, whose error ends it with its message and exit code 1. */
export async function runProgram(main: () => void | Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    tell(`error: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

/** Prints a result as Markdown, or with `json` as JSON; `write` writes both into `results/` by a name. */
export function publish(
  name: string,
  result: object,
  markdown: string,
  options: { readonly json: boolean; readonly write: boolean },
): void {
  const json = JSON.stringify(result, null, 2);
  process.stdout.write(`${options.json ? json : markdown}\n`);
  if (!options.write) return;
  const folder = new URL("../../results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.json`, folder), `${json}\n`);
  writeFileSync(new URL(`${name}.md`, folder), `${markdown}\n`);
}

/** Seconds of all threads of this process. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
