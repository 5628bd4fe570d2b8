import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkout } from "../../scripts/setup/set-up.mjs";

interface LockedPackage {
  readonly optionalDependencies?: Record<string, string>;
}

const lock = JSON.parse(readFileSync(join(checkout, "package-lock.json"), "utf8")) as {
  packages: Record<string, LockedPackage>;
};

// `npm ci` refuses a lock file that lacks one, even for a platform that is not this one; npm leaves them out of the lock
// file that it writes where its registry does not have them.
test("the lock file has every optional package", () => {
  const names = new Set(Object.keys(lock.packages).map((path) => path.split("node_modules/").at(-1)));
  const optional = Object.values(lock.packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
  expect(optional.filter((name) => !names.has(name))).toEqual([]);
});
