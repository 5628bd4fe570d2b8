import { realpathSync } from "node:fs";
import { join, sep } from "node:path";

/** Tells whether a name is that of something directly below a folder: no way up, nothing hidden. */
export function isPlainName(name: string): boolean {
  return name !== "" && name.length <= 255 && !name.startsWith(".") && !/[/\\\0]/.test(name);
}

/**
 * Real path of what lies below a folder; undefined where there is nothing, where a name leads elsewhere, or
 * where a link does.
 */
export function inside(folder: string, ...names: readonly string[]): string | undefined {
  if (!names.every(isPlainName)) return undefined;
  try {
    const top = realpathSync.native(folder);
    const path = realpathSync.native(join(top, ...names));
    return path === top || path.startsWith(top.endsWith(sep) ? top : top + sep) ? path : undefined;
  } catch {
    return undefined;
  }
}
