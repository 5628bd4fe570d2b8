import { type FSWatcher, watch } from "node:fs";

/** Milliseconds between two looks where the file system tells of nothing, and times a look's own. */
const pollEvery = 1000;
const pause = 20;

/** Milliseconds that several changes at once are gathered for. */
const gather = 60;

/**
 * Looks after changes in folders, as the file system tells of them, and about once a second in any case: not
 * every file system tells, and none of folders inside. Looks that take long are further apart.
 *
 * @returns the end of it
 */
export function onChanges(folders: readonly string[], look: () => void): () => void {
  let timer: NodeJS.Timeout;
  let due = 0;
  const lookIn = (milliseconds: number) => {
    clearTimeout(timer);
    due = performance.now() + milliseconds;
    timer = setTimeout(() => {
      const begun = performance.now();
      look();
      lookIn(Math.max(pollEvery, pause * (performance.now() - begun)));
    }, milliseconds);
  };
  const soon = () => {
    if (due - performance.now() > gather) lookIn(gather);
  };
  lookIn(pollEvery);
  const watchers = folders.map((folder) => watcherOf(folder, soon));
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher?.close();
  };
}

function watcherOf(folder: string, tell: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, tell);
    // A folder that is taken away while it is watched; looks go on.
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
