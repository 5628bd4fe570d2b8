import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { interruptible } from "../../src/cli/interrupt.js";
import { captureOutput } from "./captured-output.js";

describe("interruptible", () => {
  it("aborts at the first Ctrl-C and ends at the second", () => {
    using captured = captureOutput();
    const source = new EventEmitter();
    const codes: number[] = [];
    {
      using interrupt = interruptible(source, (code) => codes.push(code));
      expect(interrupt.signal.aborted).toBe(false);
      source.emit("SIGINT", "SIGINT");
      expect([interrupt.signal.aborted, interrupt.code, codes]).toEqual([true, 130, []]);
      expect(captured.stderr.text).toContain("stopping");
      source.emit("SIGINT", "SIGINT");
      expect(codes).toEqual([130]);
      source.emit("SIGTERM", "SIGTERM");
      expect(codes).toEqual([130, 143]);
    }
    expect(source.listenerCount("SIGINT") + source.listenerCount("SIGTERM")).toBe(0);
  });
});
