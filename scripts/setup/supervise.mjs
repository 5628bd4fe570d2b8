// node supervise.mjs PARENT RECORD PROGRAM ARGUMENTS...: runs a program of setup's, and ends it and all that
// it has started when setup is gone: npm ci or make would else go on in a folder in which the next setup
// begins. RECORD says who is at work.
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { constants } from "node:os";
import { endGroup, recordWork } from "./work.mjs";

const [parent, record = "", program = "", ...args] = process.argv.slice(2);
const isOrphan = () => process.ppid !== Number(parent);

// The record comes first: who finds setup gone afterwards finds this process in it.
recordWork(record, [process.pid]);
if (isOrphan()) end(1);
const child = spawn(program, args, { stdio: "inherit", detached: true });
if (child.pid !== undefined) recordWork(record, [process.pid, child.pid]);

child.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  end(127);
});
child.on("exit", (code, signal) => {
  if (!ending) end(code ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)]);
});

let ending = false;
const watch = setInterval(() => isOrphan() && stop(1), 100);
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => stop(128 + constants.signals[signal]));
}

/** @param {number} code */
async function stop(code) {
  if (ending) return;
  ending = true;
  clearInterval(watch);
  if (child.pid !== undefined) await endGroup(child.pid);
  end(code);
}

/** @param {number} code */
function end(code) {
  if (record !== "") rmSync(record, { force: true });
  process.exit(code);
}
