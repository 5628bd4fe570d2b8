/**
 * Exit codes of `sqa`, a contract with whatever starts it: a job is started again after `stopped`, and not
 * after a wrong call or wrong files. A process that a signal ended is told by the shell, as 128 + its number.
 */
export const exitCode = {
  /** All is done. */
  done: 0,
  /** Something failed: the message says what. */
  failed: 1,
  /** Called in a wrong way (`EX_USAGE`). */
  usage: 64,
  /** A file holds something else than it should (`EX_DATAERR`). */
  data: 65,
  /** Stopped where it can go on (`EX_TEMPFAIL`): the same command goes on. */
  stopped: 75,
} as const;
