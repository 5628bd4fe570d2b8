import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const checkout = fileURLToPath(new URL("../..", import.meta.url));

/** Block of code of a page: `bash`, `ts` and so on, and the text. */
interface Block {
  readonly language: string;
  readonly code: string;
}

/** Fenced blocks of code of a page, in order. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w+)\n(.*?)^```/gms)].map(([, language, code]) => ({
    language: language!,
    code: code!,
  }));
}

/** Name that a program's first line gives it, as in `// my-net.mjs`. */
export const fileNameOf = (code: string) => /^\/\/ ([\w-]+\.\w+)\n/.exec(code)?.[1];

/**
 * Stands in for `npx`: runs the checkout's `sqa` and `tsx`, and keeps training, attacks and audits to few
 * images. An option that is given twice counts as the last says.
 */
const npx = `#!/bin/sh
case "$1" in
  tsx) shift; exec "${process.execPath}" --import "${import.meta.resolve("tsx")}" "$@" ;;
  sqa) shift ;;
  *) echo "npx $1 is not expected in a guide" >&2; exit 1 ;;
esac
few=
for word in "$@"; do
  case "$word" in
    train) few="--epochs 1 --limit 64 --validation-images 8"; break ;;
    evaluate) few="--limit 8"; break ;;
    audit) few="--budget quick --limit 2"; break ;;
    report) break ;; # of a folder that may be called audit
  esac
done
exec "${process.execPath}" "${join(checkout, "bin", "sqa.mjs")}" "$@" $few
`;

/** Empty folder of a project that has installed `sqa`. */
export function makeProject(): string {
  const folder = mkdtempSync(join(tmpdir(), "sqa-guide-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(checkout, join(folder, "node_modules", "sqa"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin", "npx"), npx);
  chmodSync(join(folder, "bin", "npx"), 0o755);
  return folder;
}

/** Runs a block of shell commands in a project; throws with what was said where one of them fails. */
export function runShell(code: string, folder: string): string {
  const PATH = `${join(folder, "bin")}:${process.env.PATH}`;
  // A later block knows the run's folder that an earlier one has kept.
  const kept = "[ ! -f .run ] || run=$(cat .run)";
  const keep = '[ ! -v run ] || printf %s "$run" >.run';
  const script = `set -euo pipefail\n${kept}\n${code}\n${keep}`;
  const result = spawnSync("bash", ["-c", script], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, PATH, XDG_CACHE_HOME: join(folder, "cache") },
  });
  if (result.status !== 0)
    throw new Error(`${code}: exit code ${result.status}\n${result.stdout}${result.stderr}`);
  return result.stdout;
}
