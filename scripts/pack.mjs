#!/usr/bin/env node
// `npm run pack`: the npm packages of this platform, as tarballs: sqa itself, the addon, and libtorch's CPU
// libraries. docs/dependencies.md says why they are three.
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { packAddon } from "./pack/addon-package.mjs";
import { packLibtorch } from "./pack/libtorch-package.mjs";
import { packMain } from "./pack/main-package.mjs";
import { packagedLibtorch } from "./pack/packaged-libtorch.mjs";
import { buildAddon, buildId } from "./setup/addon.mjs";
import { SetupError, say } from "./setup/progress.mjs";
import { checkout, setUp } from "./setup/set-up.mjs";

const usage = `Usage: npm run pack -- [--out FOLDER]

  --out   where the tarballs are written (default: build/packages)
`;

/** @param {string} out */
function packAll(out) {
  setUp();
  mkdirSync(out, { recursive: true });
  const work = join(out, "work");
  rmSync(work, { recursive: true, force: true });
  const libtorch = packagedLibtorch(checkout);
  const folder = join(checkout, "build", buildId(libtorch));
  buildAddon(checkout, libtorch, folder);
  const places = { root: checkout, out, work };
  const tarballs = [
    packMain(places),
    packAddon(places, join(folder, "package.node"), libtorch),
    packLibtorch(places, libtorch),
  ];
  rmSync(work, { recursive: true, force: true });
  process.stdout.write(`${tarballs.join("\n")}\n`);
}

/** @param {string[]} args */
function main(args) {
  let options;
  try {
    const known = /** @type {const} */ ({
      out: { type: "string", default: "build/packages" },
      help: { type: "boolean" },
    });
    options = parseArgs({ args, options: known }).values;
  } catch (error) {
    process.stderr.write(`pack: ${/** @type {Error} */ (error).message.split("\n")[0]}\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    packAll(resolve(options.out));
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    return 1;
  }
}

process.exitCode = main(process.argv.slice(2));
