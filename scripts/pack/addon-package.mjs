// The package `@sqa/PLATFORM`: the addon alone, which finds libtorch in the package beside it.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { say } from "../setup/progress.mjs";
import {
  addonPackage,
  libraries,
  libtorchPackage,
  platform,
  tarballOf,
  versionOf,
  writeManifest,
} from "./platform.mjs";
import { checkSymbols } from "./symbols.mjs";

/**
 * Packs an addon and returns the tarball's path.
 * @param {import("./platform.mjs").Places} places @param {string} addon
 * @param {import("../setup/libtorch-folder.mjs").Libtorch} libtorch
 */
export function packAddon(places, addon, libtorch) {
  const versions = checkSymbols(addon, libraries);
  const asked = Object.entries(versions).map(([kind, version]) => `${kind} ${version}`);
  say(`pack: the addon asks for ${asked.join(", ") || "what macOS has"}`);
  const folder = join(places.work, platform);
  mkdirSync(folder, { recursive: true });
  copyFileSync(addon, join(folder, "sqa.node"));
  copyFileSync(join(places.root, "LICENSE"), join(folder, "LICENSE"));
  writeFileSync(
    join(folder, "README.md"),
    `# ${addonPackage}\n\nThe native addon of sqa for ${platform}, by Node-API 8. It is installed with sqa.\n`,
  );
  writeManifest(folder, {
    name: addonPackage,
    version: versionOf(places.root),
    description: `Native addon of sqa for ${platform}`,
    license: "Apache-2.0",
    main: "sqa.node",
    engines: { node: ">=20" },
    dependencies: { [libtorchPackage]: libtorch.version.split("+")[0] },
  });
  return tarballOf(places, folder);
}
