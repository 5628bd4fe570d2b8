import { homedir } from "node:os";
import { join } from "node:path";

/** Folder of this project's beside other programs' caches, which may be deleted between runs. */
export function cacheFolder(name: string): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sqa", name);
}
