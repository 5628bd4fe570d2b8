import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Message to stop where the work can go on later. */
export const stopMessage = "stop";

/** Signal of the same meaning for a process in synchronous work, which learns of no message. */
export const stopSignal = "SIGTERM";

/** Message from a process at work: an event, or what went wrong. */
export type ApartMessage<Event> = { readonly event: Event } | { readonly error: Error };

/** A process ended otherwise than it should, such as by a signal that it was not sent from here. */
export class EndedProcessError extends Error {
  override readonly name = "EndedProcessError";
}

/** Work in a process of its own. */
export interface ApartWork<Task, Event> {
  /** Name in errors. */
  readonly name: string;
  /** Path of the program, which calls `workApart`: that of `programBeside`. */
  readonly program: string;
  /** Message that the program is sent first. */
  readonly task: Task;
  /** Tells the event that comes last of work which reached its end. */
  isLast(event: Event): boolean;
  tell(event: Event): void;
}

/**
 * Path of a program that lies beside a module: where that is not compiled, its neighbor is not either.
 *
 * @param module `import.meta.url`
 * @param name of the program's file, without its ending
 */
export function programBeside(module: string, name: string): string {
  return fileURLToPath(new URL(`${name}${module.endsWith(".ts") ? ".ts" : ".js"}`, module));
}

/**
 * Does work in a process of its own. Returns when that has ended; an EndedProcessError where it ended
 * otherwise than it should, and its own error where it told of one.
 */
export function runApart<Task, Event>(
  { name, program, task, isLast, tell }: ApartWork<Task, Event>,
  signal: AbortSignal,
): Promise<void> {
  // Where the program is not compiled, as in tests, it needs a loader.
  const execArgv = program.endsWith(".ts") ? ["--import", "tsx"] : [];
  // Detached, so that Ctrl-C on a terminal reaches this process alone, which then says what it means.
  const child = fork(program, { execArgv, serialization: "advanced", detached: true });
  // Where a message does not get through, the process has ended, and `close` tells how.
  const send = (message: Task | typeof stopMessage) =>
    child.connected && child.send(message as object, () => {});
  // The message finds a process that has yet to begin; the signal one that is in the midst of an attack.
  const stop = () => {
    send(stopMessage);
    if (begun) child.kill(stopSignal);
  };
  let failure: Error | undefined;
  let begun = false;
  let finished = false;
  child.on("message", (message: ApartMessage<Event>) => {
    if (!begun && signal.aborted) child.kill(stopSignal);
    begun = true;
    if ("error" in message) failure = message.error;
    else {
      finished ||= isLast(message.event);
      tell(message.event);
    }
  });
  return new Promise<void>((done, fail) => {
    child.on("error", fail);
    child.on("close", (code, killed) => {
      if (failure === undefined && (code !== 0 || !(finished || signal.aborted))) {
        const how = killed ?? (code === 0 ? "being told to stop" : `exit code ${code}`);
        failure = new EndedProcessError(`the process of ${name} ended by ${how}`);
      }
      if (failure === undefined) done();
      else fail(failure);
    });
    send(task);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  }).finally(() => signal.removeEventListener("abort", stop));
}
