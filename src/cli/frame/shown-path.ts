import { relative } from "node:path";

/** A path as a person types it: relative where that is no detour. */
export function shownPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") || near === "" ? path : near;
}

/** A word as the shell takes it. */
export function quoted(word: string): string {
  return /^[\w./=:+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Words that load the modules of a command again, where their names are needed once more. */
export function importWords(files: readonly string[]): string[] {
  return files.flatMap((file) => ["--import", quoted(file)]);
}
