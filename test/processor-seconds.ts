/** Seconds of the processor that work takes, which other work on the machine does not lengthen. */
export function processorSeconds(work: () => void): number {
  const from = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e6;
}
