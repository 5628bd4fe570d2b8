/**
 * Exit codes of `sqa`, a contract with whatever starts it: a job is started again after `stopped`, and not
 * after a wrong call or wrong files. A process that a signal ended is told by the shell, as 128 + its number.
 */
export const exitCode = {
  /** All is done; a criterion is met. */
  done: 0,
  /** Something failed: the message says what. */
  failed: 1,
  /** A criterion of `sqa audit` is not met. */
  unmet: 1,
  /** A criterion of `sqa audit` can neither be met nor failed. */
  undecided: 2,
  /** Called in a wrong way (`EX_USAGE`). */
  usage: 64,
  /** A file holds something else than it should (`EX_DATAERR`). */
  data: 65,
  /** A file or folder that should be read is not there (`EX_NOINPUT`). */
  missing: 66,
  /**
   * Something failed in a command whose 1 is an answer, such as `sqa audit`, or before any command began, as
   * in the setup (`EX_SOFTWARE`).
   */
  broken: 70,
  /** Stopped where it can go on (`EX_TEMPFAIL`): the same command resumes the work. */
  stopped: 75,
} as const;
