import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { packageVersion } from "../../../base/index.js";
import { threads, versions } from "../../../engine/index.js";
import type { Provenance } from "../provenance.js";
import type { AuditJson } from "../report/schema/audit.js";

/** Name of a CUDA device by NVIDIA's own tool; null for the CPU, and where there is no such tool. */
function gpuName(device: string): string | null {
  const index = /^cuda:(\d+)$/.exec(device)?.[1];
  if (index === undefined) return null;
  const query = ["--query-gpu=name", "--format=csv,noheader", "-i", index];
  const { status, stdout } = spawnSync("nvidia-smi", query, { encoding: "utf8", timeout: 10_000 });
  return status === 0 && stdout.trim() !== "" ? stdout.trim() : device;
}

/** This machine, its versions, and the device and threads that compute. */
export function machineFacts(device: string) {
  const { libtorch, cpuCapability, kernels } = versions();
  const processors = cpus();
  return {
    sqa: packageVersion(),
    node: process.version,
    libtorch,
    cpuCapability,
    kernels,
    platform: `${process.platform} ${process.arch}`,
    cpu: `${processors.length} x ${processors[0]?.model.trim() ?? "unknown"}`,
    gpu: gpuName(device),
    device,
    threads: threads(),
  };
}

/** Circumstances of an audit, told when it has ended. */
export function environmentOf(
  device: string,
  { command, author }: Provenance,
  time: Pick<AuditJson["environment"], "startedAt" | "finishedAt" | "seconds" | "shards">,
): AuditJson["environment"] {
  const { shards, ...times } = time;
  return {
    ...machineFacts(device),
    ...times,
    command: command ?? null,
    author: author ?? null,
    ...(shards === undefined ? {} : { shards }),
  };
}
