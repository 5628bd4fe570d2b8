import { configureOutput, type OutputStream } from "../../src/cli/frame/output.js";

/** A stream that keeps what is written to it; a terminal if wanted. */
export class CapturedStream implements OutputStream {
  text = "";

  constructor(
    readonly isTTY = false,
    readonly columns = 80,
  ) {}

  write(text: string): void {
    this.text += text;
  }
}

/** Sends all output of the command line to captured streams until disposed. */
export function captureOutput({
  terminal = false,
  columns = 80,
  quiet = false,
  environment = {} as Record<string, string>,
} = {}) {
  const stdout = new CapturedStream(terminal, columns);
  const stderr = new CapturedStream(terminal, columns);
  const restore = configureOutput({ stdout, stderr, quiet, color: true, environment });
  return { stdout, stderr, [Symbol.dispose]: restore };
}
