/** Stops a command for a reason from outside, and has it end with a code once its work is saved. */
type Stop = (why: string, code: number) => void;

let stopWork: Stop | undefined;

/** Says how the command that runs is stopped where its work is kept; returns what undoes it. */
export function stoppedBy(stop: Stop): () => void {
  stopWork = stop;
  return () => {
    stopWork = undefined;
  };
}

/** Ends the process for a reason from outside: at once, or when the command has saved its work. */
export function endProcess(why: string, codes: { readonly atOnce: number; readonly saved: number }): void {
  if (stopWork === undefined) process.exit(codes.atOnce);
  else stopWork(why, codes.saved);
}
