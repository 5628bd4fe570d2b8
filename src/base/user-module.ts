import { spawnSync } from "node:child_process";
import * as node from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { FileFormatError, MissingFileError } from "./errors.js";
import { fileSha256 } from "./files/file-hash.js";
import { statusAt } from "./files/status.js";

/** Module of a user's own that was loaded. */
export interface UserModule {
  /** Path as it was given. */
  readonly file: string;
  readonly exports: Readonly<Record<string, unknown>>;
  /** Hash of the file. */
  readonly sha256: string;
}

/** Tells whether a text is the path of a JavaScript or TypeScript file. */
export function isModuleFile(text: string): boolean {
  return /\.[cm]?[jt]s$/.test(text);
}

/** Hooks of Node's module loader; those that run in this thread are not in Node 20. */
interface LoaderHooks {
  registerHooks?(hooks: { resolve: unknown }): unknown;
  register(url: URL): void;
}

const hookFile = new URL("../../bin/resolve-sqa.mjs", import.meta.url);
let isHooked = false;

/** Makes `sqa` and `zod` in users' modules mean the running package. */
async function hookResolution(): Promise<void> {
  if (isHooked) return;
  isHooked = true;
  const hooks = node as unknown as LoaderHooks;
  if (hooks.registerHooks === undefined) hooks.register(hookFile);
  else hooks.registerHooks((await import(hookFile.href)) as { resolve: unknown });
}

let readsTypeScript = Boolean((process.features as { typescript?: unknown }).typescript);

/** Lets Node read TypeScript: by itself where it can, else by tsx, where that is installed. */
async function readTypeScript(file: string): Promise<void> {
  if (readsTypeScript) return;
  for (const from of [resolve(file), import.meta.url]) {
    try {
      const loader = node.createRequire(from).resolve("tsx");
      const api = (await import(new URL("esm/api/index.mjs", pathToFileURL(loader)).href)) as {
        register(): void;
      };
      api.register();
      readsTypeScript = true;
      // Hooks that come later are asked first.
      isHooked = false;
      return;
    } catch {
      // Looked for in the next place.
    }
  }
  throw new Error(
    `Node ${process.versions.node} reads no TypeScript: install tsx beside it, or give a .js file`,
  );
}

/** First line of an error's message that says something; a syntax error's with its file and line. */
function reasonOf(file: string, error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [first, second] = error.message.split("\n") as [string, string?];
  // esbuild, by which tsx reads TypeScript, has the place in the line after.
  if (/^Transform failed/.test(first) && second !== undefined) return second;
  if (!(error instanceof SyntaxError)) return first;
  // Node keeps the place from whoever catches the error, and prints it where nobody does.
  const { stderr } = spawnSync(process.execPath, ["--check", file], { encoding: "utf8", timeout: 10_000 });
  const place = /^(?:file:\/\/)?(\/.*:\d+)$/m.exec(stderr ?? "")?.[1];
  return place === undefined ? `${first} (in it, or in a module that it imports)` : `${place}: ${first}`;
}

/**
 * Loads a module of a user's own, JavaScript or TypeScript.
 *
 * @throws MissingFileError where the file is missing, FileFormatError for what is no file, Error of one line
 *   that names it where it fails while it loads
 */
export async function loadUserModule(file: string): Promise<UserModule> {
  const status = statusAt(file);
  if (status === undefined) throw new MissingFileError(`module ${file} does not exist`);
  // To open a pipe would wait for its writer.
  if (!status.isFile()) throw new FileFormatError(`module ${file} is no regular file`);
  try {
    if (/\.[cm]?ts$/.test(file)) await readTypeScript(file);
    await hookResolution();
    const sha256 = fileSha256(file);
    const exports = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
    return { file, exports, sha256 };
  } catch (cause) {
    throw new Error(`cannot load ${file}: ${reasonOf(file, cause)}`, { cause });
  }
}
