// dist/dashboard/: the page that `sqa dashboard` serves.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runOrFail } from "./command.mjs";
import { timed } from "./progress.mjs";
import { filesBelow, hashOfContents, hashOfTimes, isFresh, writeJson } from "./stamp.mjs";

/** @param {string} root */
const stampFile = (root) => join(root, "dist", "dashboard", ".sqa-stamp.json");

/** @param {string} root */
function stampOf(root) {
  const sources = filesBelow(join(root, "dashboard"));
  return { sources: hashOfTimes(sources), lock: hashOfContents([join(root, "package-lock.json")]) };
}

/** Tells whether the page is that of dashboard/ as it is; where there is no dashboard/, none is built. @param {string} root */
export function dashboardFresh(root) {
  return !existsSync(join(root, "dashboard")) || isFresh(stampFile(root), stampOf(root));
}

/** Builds the page into dist/dashboard/ if it has changed. @param {string} root */
export function buildDashboard(root) {
  if (dashboardFresh(root)) return;
  const stamp = stampOf(root);
  const vite = join(root, "node_modules", "vite", "bin", "vite.js");
  const args = [vite, "build", "--config", join("dashboard", "vite.config.mjs")];
  timed("setup: building the dashboard's page", () =>
    runOrFail(
      "setup: the dashboard's page does not build; the first errors stand above",
      process.execPath,
      args,
      {
        cwd: root,
        supervised: true,
        from: "start",
      },
    ),
  );
  writeJson(stampFile(root), stamp);
}
