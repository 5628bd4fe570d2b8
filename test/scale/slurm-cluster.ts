import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { programOnPath } from "../../scripts/setup/command.mjs";
import { freePort } from "./free-port.js";

/** Programs that a cluster needs. Debian keeps daemons where only root looks. */
const programs = ["munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "scancel"];
const path = `${process.env.PATH}:/usr/sbin:/sbin`;
const missing = programs.filter((name) => programOnPath(name, path) === undefined);

/** Reason why no cluster can be started here; undefined where one can. */
export const withoutSlurm =
  process.getuid?.() !== 0
    ? "only root may start slurmd"
    : missing.length > 0
      ? `${missing.join(", ")} not found (apt-get install slurm-wlm munge)`
      : undefined;

/** Cluster of Slurm with one node, this machine, whose files all lie in a folder. */
export class SlurmCluster implements AsyncDisposable {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(folder: string) {
    this.#folder = folder;
    const SLURM_CONF = join(folder, "slurm.conf");
    this.#env = { ...process.env, PATH: path, SLURM_CONF };
  }

  /** Starts munged, slurmctld and slurmd, and waits until the node is idle. */
  static async start(folder: string, cpus: number): Promise<SlurmCluster> {
    const cluster = new SlurmCluster(folder);
    const inside = (name: string) => join(folder, name);
    // munged asks that everyone can reach its socket.
    chmodSync(folder, 0o711);
    for (const name of ["state", "spool"]) mkdirSync(inside(name), { mode: 0o700 });
    writeFileSync(inside("munge.key"), randomBytes(64), { mode: 0o400 });
    const munge = {
      socket: "socket",
      "key-file": "key",
      "pid-file": "pid",
      "log-file": "log",
      "seed-file": "seed",
    };
    const files = Object.entries(munge).map(([option, name]) => `--${option}=${inside(`munge.${name}`)}`);
    cluster.run("munged", "--force", "--num-threads=2", ...files);
    const ports = [await freePort(), await freePort()] as const;
    writeFileSync(inside("slurm.conf"), configuration(folder, cpus, ports));
    cluster.run("slurmctld", "-f", inside("slurm.conf"));
    cluster.run("slurmd", "-f", inside("slurm.conf"));
    for (let tries = 0; tries < 600; tries++) {
      if (cluster.run("sinfo", "--noheader", "--format=%T").trim() === "idle") return cluster;
      await sleep(100);
    }
    throw new Error(`the node is not idle:\n${cluster.log()}`);
  }

  /** Runs a program to its end, and returns what it printed. */
  run(program: string, ...words: string[]): string {
    const { status, stdout, stderr, error } = spawnSync(program, words, { env: this.#env, encoding: "utf8" });
    if (status === 0) return stdout;
    throw new Error(`${program} ${words.join(" ")}: ${error?.message ?? stderr}\n${this.log()}`);
  }

  /**
   * Begins a program that is ended after a second. `scancel --batch` asks again, every few seconds, until the
   * job's next run answers it.
   */
  begin(program: string, ...words: string[]): void {
    spawn(program, words, { env: this.#env, stdio: "ignore", timeout: 1000 });
  }

  /** Ends of the daemons' logs. */
  log(): string {
    const files = ["slurmctld.log", "slurmd.log"].map((name) => join(this.#folder, name));
    const texts = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8"));
    return texts.map((text) => text.split("\n").slice(-15).join("\n")).join("\n");
  }

  /** Processes of a job. */
  pids(job: string): number[] {
    const lines = this.run("scontrol", "listpids", job).split("\n").slice(1);
    return lines.map((line) => Number(line.split(/\s+/)[0])).filter((pid) => pid > 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Tasks that a failed test leaves end with it.
    this.run("scancel", "--user=root");
    while (this.run("squeue", "--noheader") !== "") await sleep(100);
    for (const name of ["slurmd.pid", "slurmctld.pid", "munge.pid"]) {
      const file = join(this.#folder, name);
      if (!existsSync(file)) continue;
      const pid = Number(readFileSync(file, "utf8"));
      for (const signal of ["SIGTERM", ...Array(50).fill(0), "SIGKILL"]) {
        try {
          process.kill(pid, signal);
        } catch {
          break;
        }
        await sleep(100);
      }
    }
  }
}

/** Configuration of a node without cgroups, whose requeued tasks begin again within seconds. */
function configuration(folder: string, cpus: number, [controller, node]: readonly [number, number]): string {
  const inside = (name: string) => join(folder, name);
  const host = hostname().split(".")[0]!;
  return `ClusterName=test
SlurmctldHost=${host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=${controller}
SlurmdPort=${node}
AuthType=auth/munge
AuthInfo=socket=${inside("munge.socket")},cred_expire=5
StateSaveLocation=${inside("state")}
SlurmdSpoolDir=${inside("spool")}
SlurmctldPidFile=${inside("slurmctld.pid")}
SlurmdPidFile=${inside("slurmd.pid")}
SlurmctldLogFile=${inside("slurmctld.log")}
SlurmdLogFile=${inside("slurmd.log")}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdParameters=config_overrides
NodeName=${host} NodeAddr=127.0.0.1 CPUs=${cpus} RealMemory=500 State=UNKNOWN
PartitionName=all Nodes=${host} Default=YES MaxTime=INFINITE State=UP
`;
}
