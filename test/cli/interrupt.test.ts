import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { interruptible } from "../../src/cli/frame/interrupt.js";
import { captureOutput } from "./captured-output.js";

describe("interruptible", () => {
  it("looks for a Ctrl-C that the event loop has not told of, and heeds it once", () => {
    using captured = captureOutput();
    const source = new EventEmitter();
    const codes: number[] = [];
    const arrived = { SIGINT: 0, SIGTERM: 0, SIGQUIT: 0, SIGHUP: 0, SIGUSR1: 0 };
    using interrupt = interruptible(
      source,
      (code) => codes.push(code),
      (name) => arrived[name],
    );
    interrupt.signal.throwIfAborted();
    arrived.SIGINT++;
    expect(() => interrupt.signal.throwIfAborted()).toThrow("stopped by SIGINT");
    expect(() => interrupt.signal.throwIfAborted()).toThrow("stopped by SIGINT");
    expect([interrupt.signal.aborted, interrupt.code]).toEqual([true, 75]);
    // What it was told by then is the same Ctrl-C.
    source.emit("SIGINT", "SIGINT");
    expect([captured.stderr.text, codes]).toEqual(["stopping; once more to end at once\n", []]);
    arrived.SIGINT++;
    source.emit("SIGINT", "SIGINT");
    expect(codes).toEqual([130]);
    expect(() => interrupt.signal.throwIfAborted()).toThrow("stopped by SIGINT");
    expect(codes).toEqual([130]);
  });

  it("aborts at the first Ctrl-C and ends at the second", () => {
    using captured = captureOutput();
    const source = new EventEmitter();
    const codes: number[] = [];
    {
      using interrupt = interruptible(
        source,
        (code) => codes.push(code),
        () => 0,
      );
      expect(interrupt.signal.aborted).toBe(false);
      source.emit("SIGINT", "SIGINT");
      expect([interrupt.signal.aborted, interrupt.code, codes]).toEqual([true, 75, []]);
      expect(captured.stderr.text).toContain("stopping");
      source.emit("SIGINT", "SIGINT");
      expect(codes).toEqual([130]);
      source.emit("SIGTERM", "SIGTERM");
      expect(codes).toEqual([130, 143]);
    }
    expect(source.listenerCount("SIGINT") + source.listenerCount("SIGTERM")).toBe(0);
  });

  it("stops once for a terminal that closes, however often that is told", () => {
    using captured = captureOutput();
    const source = new EventEmitter();
    const codes: number[] = [];
    using interrupt = interruptible(
      source,
      (code) => codes.push(code),
      () => 0,
    );
    for (const name of ["SIGHUP", "SIGUSR1", "SIGHUP"]) source.emit(name, name);
    interrupt.stop("closed output", 75);
    expect([interrupt.signal.aborted, interrupt.code, codes]).toEqual([true, 75, []]);
    expect(captured.stderr.text).toBe("stopping\n");
    // After that, a Ctrl-C is the first of its kind.
    source.emit("SIGINT", "SIGINT");
    expect(codes).toEqual([]);
    source.emit("SIGTERM", "SIGTERM");
    expect(codes).toEqual([143]);
  });

  it("ends with the code of the first reason", () => {
    using _captured = captureOutput();
    using interrupt = interruptible(
      new EventEmitter(),
      () => {},
      () => 0,
    );
    interrupt.stop("an error", 1);
    interrupt.stop("closed output", 75);
    expect(interrupt.code).toBe(1);
    expect(() => interrupt.signal.throwIfAborted()).toThrow("stopped by an error");
  });
});
