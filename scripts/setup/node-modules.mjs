// The npm packages of package-lock.json, and `sqa` itself among node_modules/.bin.
import { existsSync, lstatSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { runOrFail } from "./command.mjs";
import { timed } from "./progress.mjs";
import { hashOfContents, isFresh, writeJson } from "./stamp.mjs";

/** Lock file that the installed packages are to have been made from. @param {string} root */
function stampOf(root) {
  return { lock: hashOfContents([join(root, "package-lock.json")]) };
}

/** @param {string} root */
const stampFile = (root) => join(root, "node_modules", ".sqa-stamp.json");

/** Tells whether node_modules is what package-lock.json asks for. @param {string} root */
export function nodeModulesFresh(root) {
  return isFresh(stampFile(root), stampOf(root)) && existsSync(join(root, "node_modules", ".bin", "sqa"));
}

/** Installs the packages where they are missing or package-lock.json has changed. @param {string} root */
export function setUpNodeModules(root) {
  if (nodeModulesFresh(root)) return;
  if (!isFresh(stampFile(root), stampOf(root))) {
    // --ignore-scripts: no dependency's install step may fetch from elsewhere; none that is used needs its
    // own.
    const args = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--include=dev"];
    timed("setup: npm packages, by npm ci", () =>
      runOrFail("setup: npm ci failed; its last lines stand above", "npm", args, {
        cwd: root,
        supervised: true,
      }),
    );
  }
  linkCommand(root);
  writeJson(stampFile(root), stampOf(root));
}

/** Lets `npx sqa` find the checkout's own command. @param {string} root */
function linkCommand(root) {
  const link = join(root, "node_modules", ".bin", "sqa");
  mkdirSync(join(root, "node_modules", ".bin"), { recursive: true });
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync("../../bin/sqa.mjs", link);
}
