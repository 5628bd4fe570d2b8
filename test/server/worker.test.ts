import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PlaygroundWorker } from "../../src/server/playground/worker.js";

/** Stands for a process of the playground, which answers when a test says so. */
class Child extends EventEmitter {
  killed = false;
  asked = 0;

  send(): void {
    this.asked++;
  }

  kill(): void {
    this.killed = true;
  }
}

const children: Child[] = [];
const begin = () => {
  const child = new Child();
  children.push(child);
  return child as unknown as ChildProcess;
};

beforeEach(() => {
  children.length = 0;
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const times = { idle: 1000, answer: 5000 };

it("ends a late question's process, and not the one that answers the next", async () => {
  using worker = new PlaygroundWorker(times, begin);
  const late = worker.ask({ ask: "attacks" });
  const refused = expect(late).rejects.toThrow("no answer within 5 s: take fewer steps");
  await vi.advanceTimersByTimeAsync(times.answer);
  await refused;
  const next = worker.ask({ ask: "attacks" });
  await vi.advanceTimersByTimeAsync(0);
  const [first, second] = children;
  expect([first?.killed, second?.killed, second?.asked]).toEqual([true, false, 1]);
  // The operating system tells of an end later than it was asked for.
  first!.emit("close");
  await vi.advanceTimersByTimeAsync(2 * times.idle);
  expect([worker.running, second!.killed]).toEqual([true, false]);
  second!.emit("message", { result: 7 });
  expect(await next).toBe(7);
  await vi.advanceTimersByTimeAsync(times.idle);
  expect([worker.running, second!.killed]).toEqual([false, true]);
});

it("keeps its process while questions come", async () => {
  using worker = new PlaygroundWorker(times, begin);
  for (let i = 0; i < 3; i++) {
    const answer = worker.ask({ ask: "attacks" });
    await vi.advanceTimersByTimeAsync(0.9 * times.idle);
    children[0]!.emit("message", { result: i });
    expect(await answer).toBe(i);
  }
  expect([children.length, children[0]!.killed]).toEqual([1, false]);
});
