import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { Served, writeRun } from "./served.js";

const server = new URL("../../src/server/index.ts", import.meta.url).href;
const commandLine = new URL("../../src/cli/main.ts", import.meta.url).href;

/** Native libraries that a process has loaded after it ran a program. */
function librariesOf(program: string): string[] {
  const tell = `
    import { readFileSync } from "node:fs";
    const maps = readFileSync("/proc/self/maps", "utf8");
    console.log(JSON.stringify([...new Set(maps.match(/\\/\\S+\\.(?:node|so)\\S*/g))]));
    process.exit(0);`;
  const words = ["--import", "tsx", "--input-type=module", "--eval", `${program}${tell}`];
  const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
  try {
    return JSON.parse(stdout.trim().split("\n").at(-1)!) as string[];
  } catch {
    throw new Error(stderr);
  }
}

const native = (path: string) => /sqa\.node|torch|c10/.test(path);

it("serves without libtorch: no addon is loaded", async () => {
  await using served = await Served.start();
  writeRun(served.runs, "one");
  await served.dashboard.close();
  const options = {
    runs: served.runs,
    results: served.results,
    port: 0,
    program: ["true"],
    state: served.top,
  };
  const libraries = librariesOf(`
    import { startDashboard } from ${JSON.stringify(server)};
    import ${JSON.stringify(commandLine)};
    const { port, token } = await startDashboard(${JSON.stringify(options)});
    const headers = { Authorization: "Bearer " + token };
    for (const path of ["runs", "runs/one", "audits", "paper", "jobs"]) {
      const { status } = await fetch("http://127.0.0.1:" + port + "/api/" + path, { headers });
      if (status !== 200) throw new Error(path + " " + status);
    }`);
  expect(libraries.length).toBeGreaterThan(0);
  expect(libraries.filter(native)).toEqual([]);
  await served.restart();
});

it("would notice: the engine loads it", () => {
  const engine = new URL("../../src/engine/index.ts", import.meta.url).href;
  const libraries = librariesOf(`import { versions } from ${JSON.stringify(engine)}; versions();`);
  expect(libraries.some(native)).toBe(true);
});
