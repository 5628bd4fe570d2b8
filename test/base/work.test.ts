import { describe, expect, test } from "vitest";
import { type Steps, Work } from "../../src/base/index.js";

/** Counts to 3; returns the sum, or undefined where its signal was aborted. */
const counting = (log: string[] = []) =>
  async function* (signal: AbortSignal): Steps<number, number> {
    let sum = 0;
    for (const count of [1, 2, 3]) {
      await Promise.resolve();
      if (signal.aborted) {
        log.push(`saved ${sum}`);
        return undefined;
      }
      sum += count;
      yield count;
    }
    return sum;
  };

const failing = async function* (): Steps<number, number> {
  yield 1;
  throw new RangeError("broken");
};

async function watched<T>(work: Work<T, unknown>): Promise<T[]> {
  const events: T[] = [];
  for await (const event of work) events.push(event);
  return events;
}

describe("work", () => {
  test("gives its result when it is awaited, once and again", async () => {
    const work = new Work(counting());
    expect([await work, await work]).toEqual([6, 6]);
  });

  test("gives its events when it is watched, and then its result", async () => {
    const work = new Work(counting());
    expect(await watched(work)).toEqual([1, 2, 3]);
    expect(await work).toBe(6);
  });

  test("does nothing before it is awaited or watched", async () => {
    let begun = false;
    const work = new Work(async function* (): Steps<number, number> {
      begun = true;
      yield 0;
      return 1;
    });
    await Promise.resolve();
    expect(begun).toBe(false);
    await work;
    expect(begun).toBe(true);
  });

  test("stops and saves when its loop is left", async () => {
    const log: string[] = [];
    const work = new Work(counting(log));
    for await (const count of work) if (count === 2) break;
    expect(log).toEqual(["saved 3"]);
    await expect(work).rejects.toMatchObject({ name: "AbortError" });
  });

  test("stops when its signal is aborted: watching ends, awaiting throws the reason", async () => {
    const stop = new AbortController();
    const work = new Work(counting(), stop.signal);
    const events: number[] = [];
    for await (const count of work) {
      events.push(count);
      if (count === 1) stop.abort();
    }
    expect(events).toEqual([1]);
    await expect(work).rejects.toMatchObject({ name: "AbortError" });
  });

  test("asks the given signal itself, which may know of an interrupt before the event loop does", async () => {
    const stop = new AbortController();
    let interrupted = false;
    stop.signal.throwIfAborted = () => {
      if (interrupted) stop.abort();
      AbortSignal.prototype.throwIfAborted.call(stop.signal);
    };
    const work = new Work(async function* (signal): Steps<number, string> {
      yield 1;
      interrupted = true;
      signal.throwIfAborted();
      return "not stopped";
    }, stop.signal);
    await expect(work).rejects.toMatchObject({ name: "AbortError" });
  });

  test("throws its error to who watches and to who awaits", async () => {
    const work = new Work(failing);
    await expect(watched(work)).rejects.toThrow("broken");
    await expect(work).rejects.toThrow("broken");
    await expect(new Work(failing)).rejects.toThrow("broken");
  });

  test("is not watched twice", async () => {
    const work = new Work(counting());
    await work;
    await expect(watched(work)).rejects.toThrow("awaited or watched already");
  });

  test("takes nothing but a signal for one", () => {
    expect(() => new Work(counting(), {} as AbortSignal)).toThrow(
      "signal must be an AbortSignal, not an object",
    );
  });
});
