import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkout } from "../../scripts/setup/set-up.mjs";

interface LockedPackage {
  readonly integrity?: string;
  readonly optionalDependencies?: Record<string, string>;
}

const lock = JSON.parse(readFileSync(join(checkout, "package-lock.json"), "utf8")) as {
  packages: Record<string, LockedPackage>;
};

// `npm ci` refuses a lock file that lacks one, even for a platform that is not this one; npm leaves them out
// of the lock file that it writes where its registry does not have them.
test("the lock file has every optional package", () => {
  const names = new Set(Object.keys(lock.packages).map((path) => path.split("node_modules/").at(-1)));
  const optional = Object.values(lock.packages).flatMap((entry) =>
    Object.keys(entry.optionalDependencies ?? {}),
  );
  expect(optional.filter((name) => !names.has(name))).toEqual([]);
});

// npm leaves the checksums of other platforms' packages out as well; such a package would be installed
// unchecked there.
test("the lock file has the checksum of every package", () => {
  const unchecked = Object.entries(lock.packages).filter(([path, { integrity }]) => {
    return path !== "" && !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "");
  });
  expect(unchecked.map(([path]) => path)).toEqual([]);
});

// TypeDoc's version 6 brings a program of the same name.
test("tsc is that of TypeScript 7", () => {
  const tsc = realpathSync(join(checkout, "node_modules", ".bin", "tsc"));
  expect(tsc).toBe(join(checkout, "node_modules", "typescript", "bin", "tsc"));
});
