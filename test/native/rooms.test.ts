// The order of native/: small rooms, and includes that name a file by its path from there.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const native = fileURLToPath(new URL("../../native", import.meta.url));
const files = readdirSync(native, { recursive: true, encoding: "utf8" }).filter((name) =>
  /\.(cc|h|cu)$/.test(name),
);

const rooms = new Set(files.map((name) => dirname(name)));

test("every source lies in a room, and a room has at most 15 files", () => {
  expect(files.filter((name) => dirname(name) === ".")).toEqual([]);
  const crowded = [...rooms].filter((room) => files.filter((name) => dirname(name) === room).length > 15);
  expect(crowded).toEqual([]);
});

test("an include names a file by its path from native/", () => {
  const includes = files.flatMap((name) => {
    const text = readFileSync(join(native, name), "utf8");
    return [...text.matchAll(/#include "([^"]+)"/g)].map(([, path]) => ({ name, path: path! }));
  });
  expect(includes.length).toBeGreaterThan(50);
  expect(includes.filter(({ path }) => path.startsWith(".") || !existsSync(join(native, path)))).toEqual([]);
});

test("the build compiles the sources of every room", () => {
  const cmake = readFileSync(join(native, "CMakeLists.txt"), "utf8");
  const listed = /foreach\(room ([a-z ]+)\)/.exec(cmake)![1]!.split(" ");
  expect([...listed, "cuda"].sort()).toEqual([...rooms].sort());
});
