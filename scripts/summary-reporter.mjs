// The last line of a test run, for people and for .ci/run: `N passed, N failed, N skipped`.

/** A Vitest reporter that prints one line of counts when the run has ended. */
// biome-ignore lint/style/noDefaultExport: Vitest takes a reporter from the default export of its file
export default class SummaryReporter {
  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // Pending: the run was cut off before it.
        counts[state === "pending" ? "skipped" : state] += 1;
      }
      // A file or a suite that throws outside its tests has no test to show for it.
      const broken = [module, ...module.children.allSuites()].filter((task) => task.errors().length > 0);
      counts.failed += broken.length;
    }
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  }
}
