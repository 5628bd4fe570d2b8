#!/usr/bin/env node
// `npm run pack:gpu`: all that a machine without Node and without a network needs to run sqa, as parts to be
// carried there. run.sh beside this file unpacks them on the other side; docs/gpu.md says how.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { SetupError } from "../scripts/setup/progress.mjs";
import { setUp } from "../scripts/setup/set-up.mjs";
import { packAll } from "./archives.mjs";

const usage = `Usage: npm run pack:gpu -- [--out FOLDER] [--cifar10 FOLDER]

  --out      where the parts are written (default: gpu/parts)
  --cifar10  the folder of CIFAR-10's official binary files, to be packed too
`;

/** @param {string[]} args */
function main(args) {
  let options;
  try {
    const known = /** @type {const} */ ({
      out: { type: "string", default: "gpu/parts" },
      cifar10: { type: "string" },
      help: { type: "boolean" },
    });
    options = parseArgs({ args, options: known }).values;
  } catch (error) {
    process.stderr.write(`pack-gpu: ${/** @type {Error} */ (error).message.split("\n")[0]}\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    if (options.cifar10 !== undefined && !existsSync(options.cifar10)) {
      throw new SetupError(
        `pack-gpu: ${options.cifar10} does not exist: --cifar10 takes a folder of data_batch_1.bin ...`,
      );
    }
    setUp();
    packAll({ out: resolve(options.out), cifar10: options.cifar10 });
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

process.exitCode = main(process.argv.slice(2));
