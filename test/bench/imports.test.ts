// The order of bench/: a folder a program, which takes from shared/ and from src/, but not from another
// program.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const files = readdirSync(join(checkout, "bench"), { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".ts"),
);

function importsOf(name: string): string[] {
  const text = readFileSync(join(checkout, "bench", name), "utf8");
  return [...text.matchAll(/from "(\.[^"]+)"/g)].map(([, path]) => join("bench", dirname(name), path!));
}

test("a program of the benchmarks imports its own folder, shared/ and src/ below the command line", () => {
  const wrong = files.flatMap((name) => {
    const own = ["bench/shared/", `bench/${dirname(name)}/`];
    const allowed = (path: string) =>
      path.startsWith("src/") ? !path.startsWith("src/cli/") : own.some((folder) => path.startsWith(folder));
    return importsOf(name)
      .filter((path) => !allowed(path))
      .map((path) => `${name} -> ${path}`);
  });
  expect(files.length).toBeGreaterThan(20);
  expect(wrong).toEqual([]);
});
