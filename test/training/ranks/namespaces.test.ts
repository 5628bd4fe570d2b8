// Two network namespaces, joined by a pair of virtual interfaces, as two machines.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Launched, noMpi, testProgram, trainedIn } from "./mpirun.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-namespaces-"));
const names = ["a", "b"].map((end) => `sqa-${process.pid}-${end}`);
const [here, there] = names as [string, string];

function ip(words: string): boolean {
  return spawnSync("ip", words.split(" ")).status === 0;
}

/** The two namespaces, 10.77.0.1 and 10.77.0.2; false where they cannot be made. */
function joined(): boolean {
  const pair = `link add v${process.pid}a netns ${here} type veth peer name v${process.pid}b netns ${there}`;
  if (!names.every((name) => ip(`netns add ${name}`)) || !ip(pair)) return false;
  return names.every((name, i) => {
    const device = `v${process.pid}${i === 0 ? "a" : "b"}`;
    const steps = ["link set lo up", `addr add 10.77.0.${i + 1}/24 dev ${device}`, `link set ${device} up`];
    return steps.every((step) => ip(`-n ${name} ${step}`));
  });
}

const canTry =
  noMpi === undefined && process.getuid?.() === 0 && spawnSync("unshare", ["--version"]).status === 0;
const missing =
  canTry && joined() ? undefined : "skipped: network namespaces need root, ip, unshare and Open MPI";

afterAll(() => {
  for (const name of names) ip(`netns del ${name}`);
  rmSync(folder, { recursive: true });
});

/** Bytes that a namespace's end of the pair has sent. */
function sent(name: string): number {
  const { stdout } = spawnSync("ip", ["-n", name, "-s", "-j", "link", "show", "type", "veth"]);
  return JSON.parse(stdout.toString())[0].stats64.tx.bytes as number;
}

test.skipIf(missing !== undefined)(
  missing ?? "two ranks on two hosts train as on one, bit for bit",
  async () => {
    const agent = join(folder, "agent.sh");
    // In the place of ssh: HOST COMMAND...
    const second = `exec ip netns exec ${there} unshare --uts sh -c "hostname ${there}; $*"`;
    writeFileSync(agent, `#!/bin/sh\nshift\n${second}\n`, { mode: 0o755 });
    const mpirun = [
      ...["mpirun", "--mca", "plm_rsh_agent", agent, "--host", "10.77.0.1:1,10.77.0.2:1", "-n", "2"],
      ...["--mca", "btl_tcp_if_include", "10.77.0.0/24", "--mca", "oob_tcp_if_include", "10.77.0.0/24"],
    ];
    const first = [
      "ip",
      "netns",
      "exec",
      here,
      "unshare",
      "--uts",
      "sh",
      "-c",
      `hostname ${here}; exec "$@"`,
      "sh",
    ];
    const apart = new Launched([
      ...first,
      ...mpirun,
      ...testProgram("program.ts", [join(folder, "apart"), "smooth"]),
    ]);
    expect([await apart.ended(), apart.output]).toEqual([0, expect.any(String)]);
    const together = Launched.program(2, "program.ts", [join(folder, "together"), "smooth"]);
    expect([await together.ended(), together.output]).toEqual([0, expect.any(String)]);
    const [over] = trainedIn(apart.output);
    const [within] = trainedIn(together.output);
    // A sum of two numbers has no order.
    expect([over!.ranks, over!.losses]).toEqual([2, within!.losses]);
    expect(readFileSync(over!.weights).equals(readFileSync(within!.weights))).toBe(true);
    // The gradients of twelve steps, 700 weights and more each.
    for (const name of names) expect(sent(name)).toBeGreaterThan(12 * 700 * 4);
  },
  600_000,
);
