// dist/: what bin/sqa.mjs runs.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runOrFail } from "./command.mjs";
import { timed } from "./progress.mjs";
import { filesBelow, hashOfTimes, isFresh, writeJson } from "./stamp.mjs";

/** @param {string} root */
const stampFile = (root) => join(root, "dist", ".sqa-stamp.json");

/** @param {string} root */
const helpScript = (root) => join(root, "scripts", "document-options.mjs");

/** @param {string} root */
function stampOf(root) {
  return {
    sources: hashOfTimes([join(root, "tsconfig.json"), helpScript(root), ...filesBelow(join(root, "src"))]),
  };
}

/** Tells whether dist/ was compiled from src/ as it is. @param {string} root */
export function distFresh(root) {
  return existsSync(join(root, "dist")) && isFresh(stampFile(root), stampOf(root));
}

/** Compiles src/ into dist/ if it has changed. @param {string} root */
export function compileTypeScript(root) {
  if (distFresh(root)) return;
  const stamp = stampOf(root);
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const failed = "setup: src/ does not compile; the first errors stand above";
  timed("setup: compiling TypeScript", () =>
    runOrFail(failed, process.execPath, [compiler, "-p", "tsconfig.json"], {
      cwd: root,
      supervised: true,
      lines: 5,
      from: "start",
    }),
  );
  runOrFail(
    "setup: the help of options could not be written into dist/",
    process.execPath,
    [helpScript(root)],
    {
      cwd: root,
      lines: 5,
    },
  );
  writeJson(stampFile(root), stamp);
}
