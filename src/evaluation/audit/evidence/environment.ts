import { cpus } from "node:os";
import { packageVersion } from "../../../base/index.js";
import { gpuNames, threads, versions } from "../../../engine/index.js";
import type { Provenance } from "../provenance.js";
import type { AuditJson } from "../report/schema/audit.js";

/** Name of a CUDA device, its text such as "cuda:0" where NVIDIA's tool is missing; null for the CPU. */
function gpuName(device: string): string | null {
  const index = /^cuda:(\d+)$/.exec(device)?.[1];
  return index === undefined ? null : (gpuNames(Number(index))?.[0] ?? device);
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
