#!/usr/bin/env node
// The command `sqa`: brings the checkout up to date (silent and quick when it is), then runs the compiled
// command line. Nothing here writes to stdout; it belongs to the command.
import { SetupError, say } from "../scripts/setup/progress.mjs";
import { setUp } from "../scripts/setup/set-up.mjs";

try {
  setUp();
  const { runProcess } = await import("../dist/cli/main.js");
  await runProcess();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
