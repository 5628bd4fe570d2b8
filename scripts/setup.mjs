#!/usr/bin/env node
// Sets up a checkout: npm packages, compiler, libtorch, the addon, dist/. Run by `npm start`, `npm test`,
// `npm run setup`.
import { parseArgs } from "node:util";
import { agreeToAll } from "./setup/ask.mjs";
import { SetupError, say } from "./setup/progress.mjs";
import { buildDist, buildOnly, setUp } from "./setup/set-up.mjs";

const usage = `Usage: npm run setup -- [--libtorch FOLDER|pip|debian|search] [--build-only FOLDER] [--yes]

  --libtorch    the libtorch to build against and to keep using: a folder, the pinned torch by pip, Debian's
                libtorch-dev, or a new search (SQA_LIBTORCH or LIBTORCH, python3's torch, the cache, else
                installed)
  --yes         install Debian packages without asking, as where there is no terminal
  --build-only  only build the addon, into FOLDER/sqa.node; run with SQA_ADDON=FOLDER/sqa.node to use it
  --no-load     with --build-only: do not try whether it loads, for a libtorch whose libraries are elsewhere
  --dist        only compile dist/, anew
`;

/** @param {string[]} args */
function main(args) {
  let options;
  try {
    options = parseArgs({
      args,
      options: {
        libtorch: { type: "string" },
        "build-only": { type: "string" },
        "no-load": { type: "boolean" },
        dist: { type: "boolean" },
        yes: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`setup: ${/** @type {Error} */ (error).message.split("\n")[0]}\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    const { libtorch, "build-only": folder, "no-load": noLoad } = options;
    if (options.yes) agreeToAll();
    if (options.dist) buildDist();
    else if (folder === undefined) setUp({ libtorch });
    else buildOnly({ libtorch, folder, load: noLoad !== true });
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    return 1;
  }
}

process.exitCode = main(process.argv.slice(2));
