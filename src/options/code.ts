import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fileSha256 } from "../base/index.js";
import { isValue } from "./value.js";

/** Folder of the package's own code. */
const packaged = fileURLToPath(new URL("..", import.meta.url));

/** Calls that are looked through for the one in a user's file. */
const mostCalls = 100;

/** Hash of each file that was asked for, by its address: what is loaded stays as it was read. */
const hashes = new Map<string, string | undefined>();

/**
 * SHA-256 of the user's file whose code is running; undefined where there is none, as in a prompt. Helpers
 * that the file imports are not seen.
 */
export function callingSha256(): string | undefined {
  const address = callers().find((file) => !file.startsWith("node:") && !pathOf(file).startsWith(packaged));
  if (address === undefined) return undefined;
  if (!hashes.has(address)) {
    const path = pathOf(address);
    hashes.set(address, existsSync(path) ? fileSha256(path) : undefined);
  }
  return hashes.get(address);
}

/** Files of the running calls, innermost first, as addresses or paths. */
function callers(): string[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = mostCalls;
    Error.prepareStackTrace = (_, calls) => calls;
    const calls = new Error().stack as unknown as NodeJS.CallSite[];
    return calls.map((call) => call.getFileName()).filter((file) => typeof file === "string");
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  }
}

/** Path of a file's address. */
function pathOf(address: string): string {
  return address.startsWith("file:") ? fileURLToPath(address.replace(/[?#].*$/s, "")) : address;
}

/** Code of the values among things, also in lists; undefined where all are the package's. */
export function codeOf(things: readonly unknown[]): string | undefined {
  return joinedCode(
    things
      .flat()
      .filter(isValue)
      .map(({ code }) => code),
  );
}

/** Hash of several hashes, some of which may be undefined; a single one as it is. */
export function joinedCode(hashes: readonly (string | undefined)[]): string | undefined {
  const own = [...new Set(hashes.filter((hash) => hash !== undefined))];
  return own.length < 2 ? own[0] : createHash("sha256").update(own.join()).digest("hex");
}
