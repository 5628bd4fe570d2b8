import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ModelFile } from "../api.js";
import { inside, isPlainName } from "../files/inside.js";

/** Folders whose exported models may be opened; without a folder of models, that of the runs alone. */
export interface ModelPlaces {
  readonly models?: string | undefined;
  readonly runs: string;
}

const isModelName = (name: string) => /\.(pt2|onnx)$/i.test(name);

/** Folders below each other that are looked into, files that are listed, and entries that are looked at. */
const limits = { depth: 3, files: 500, entries: 50_000 };

/** Exported models below the folders, by place and name. */
export function modelFiles(places: ModelPlaces): ModelFile[] {
  return (["models", "runs"] as const).flatMap((place) => {
    const folder = places[place];
    if (folder === undefined) return [];
    const found: string[] = [];
    let entries = 0;
    const look = (parts: readonly string[]) => {
      for (const entry of listed(join(folder, ...parts))) {
        if (!isPlainName(entry.name) || ++entries > limits.entries || found.length === limits.files) continue;
        const path = [...parts, entry.name];
        if (entry.isFile() && isModelName(entry.name)) found.push(path.join("/"));
        else if (entry.isDirectory() && path.length < limits.depth) look(path);
      }
    };
    look([]);
    return found.sort().map((file) => ({ place, file }));
  });
}

function listed(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Real path of an exported model; undefined where there is none inside of its folder. */
export function modelFilePath(places: ModelPlaces, { place, file }: ModelFile): string | undefined {
  const folder = places[place];
  if (folder === undefined || !isModelName(file)) return undefined;
  const path = inside(folder, ...file.split("/"));
  return path !== undefined && isModelName(path) && lstatSync(path).isFile() ? path : undefined;
}

/** Mark of a file, which changes when its content does. */
export function fileMark(path: string): string {
  const { ino, size, mtimeMs } = lstatSync(path);
  return `${ino} ${size} ${mtimeMs}`;
}
