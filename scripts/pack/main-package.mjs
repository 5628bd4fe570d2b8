// The package `sqa`: JavaScript, types, and the addon's sources for those who bring their own libtorch.
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runOrFail } from "../setup/command.mjs";
import { timed } from "../setup/progress.mjs";
import { buildDist } from "../setup/set-up.mjs";
import { readJson, writeJson } from "../setup/stamp.mjs";
import { addonPackage, platform, tarballOf } from "./platform.mjs";

/** Platforms that a release has addons for. */
const released = ["linux-x64"];

/**
 * Published part of the checkout's manifest. The platform packages are named here alone: a lock file could
 * not have their checksums before they exist.
 * @param {Record<string, unknown>} manifest
 */
export function publishedManifest({
  private: _private,
  scripts: _scripts,
  devDependencies: _dev,
  ...manifest
}) {
  const names = new Set([...released.map((name) => `@sqa/${name}`), addonPackage]);
  const optionalDependencies = Object.fromEntries([...names].map((name) => [name, manifest.version]));
  return { ...manifest, optionalDependencies };
}

/** Packs `sqa` and returns the tarball's path. @param {import("./platform.mjs").Places} places */
export function packMain(places) {
  return timed(`pack: sqa, for ${platform} and without an addon for others`, () => {
    buildDist({ root: places.root });
    const folder = join(places.work, "main");
    mkdirSync(folder, { recursive: true });
    const plain = tarballOf({ ...places, out: places.work }, places.root);
    runOrFail("pack: tar failed; its last lines stand above", "tar", ["-xzf", plain, "-C", folder]);
    rmSync(plain);
    const packed = join(places.work, "sqa");
    renameSync(join(folder, "package"), packed);
    writeJson(join(packed, "package.json"), publishedManifest(readJson(join(packed, "package.json"))));
    return tarballOf(places, packed);
  });
}
