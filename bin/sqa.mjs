#!/usr/bin/env node
// The command `sqa`: brings a checkout up to date (silent and quick when it is), then runs the compiled
// command line. An installed package is complete. Nothing here writes to stdout; it belongs to the command.
import { existsSync } from "node:fs";
import { SetupError, say } from "../scripts/setup/progress.mjs";
import { checkout, isPacked, setUp } from "../scripts/setup/set-up.mjs";

// As src/cli/frame/exit-code.ts, which is not compiled yet; 1 would say that a criterion is not met.
const broken = 70;

try {
  // packed.json: a copy for GPU machines, which builds its addon where it comes to.
  if (!isPacked(checkout) || existsSync(new URL("../packed.json", import.meta.url))) setUp();
  const { runProcess } = await import("../dist/cli/main.js");
  await runProcess();
} catch (error) {
  say(error instanceof SetupError ? error.message : (error.stack ?? String(error)));
  process.exitCode = broken;
}
