import { type FSWatcher, watch } from "node:fs";

/** Milliseconds between two looks where the file system tells of nothing. */
const pollEvery = 1000;

/** Milliseconds that several changes at once are gathered for. */
const gather = 60;

/**
 * Calls back after changes in a folder, as the file system tells of them, and once a second in any case:
 * not every file system tells, and none of folders inside.
 *
 * @returns the end of it
 */
export function onChanges(folder: string, look: () => void): () => void {
  let waiting: NodeJS.Timeout | undefined;
  const soon = () => {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      look();
    }, gather);
  };
  const timer = setInterval(look, pollEvery);
  const watcher = watcherOf(folder, soon);
  return () => {
    clearInterval(timer);
    clearTimeout(waiting);
    watcher?.close();
  };
}

function watcherOf(folder: string, tell: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, tell);
    // A folder that is taken away while it is watched; polling goes on.
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
