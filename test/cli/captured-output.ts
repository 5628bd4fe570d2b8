import { configureOutput, type OutputStream } from "../../src/cli/frame/output.js";

/** A stream that keeps what is written to it; a terminal of 80 columns if wanted. */
export class CapturedStream implements OutputStream {
  text = "";
  readonly columns = 80;

  constructor(readonly isTTY = false) {}

  write(text: string): void {
    this.text += text;
  }
}

/** Send all output of the command line to captured streams until disposed. */
export function captureOutput({ terminal = false, quiet = false, environment = {} as Record<string, string> } = {}) {
  const stdout = new CapturedStream(terminal);
  const stderr = new CapturedStream(terminal);
  const restore = configureOutput({ stdout, stderr, quiet, color: true, environment });
  return { stdout, stderr, [Symbol.dispose]: restore };
}
