import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, totalmem } from "node:os";
import { countText } from "../../../base/index.js";
import { datasets } from "../../../datasets/index.js";
import {
  bfloat16Support,
  type CudaAbilities,
  cpuFlags,
  findAddon,
  operators as ops,
  setUpCommand,
  threads,
  versions,
} from "../../../engine/index.js";
import { disagreement } from "./device-check.js";

/**
 * Part of a machine that was examined. `problem` says what is wrong and what to do; without it all is well.
 */
export interface Finding {
  readonly name: string;
  readonly value: string;
  /** The project's main job fails without it. */
  readonly needed: boolean;
  readonly problem?: string;
}

const oldestNode = 20;

function node(): Finding {
  const { node: version } = process.versions;
  const value = `${version} (${process.platform} ${process.arch})`;
  if (Number.parseInt(version, 10) >= oldestNode) return { name: "node", value, needed: true };
  return { name: "node", value, needed: true, problem: `Node ${oldestNode} or newer is needed: install it` };
}

/** Loads libtorch and computes with it. */
function libtorch(): Finding[] {
  try {
    const { libtorch: version, cpuCapability, kernels, ...cuda } = versions();
    const sum = ops.ones([2, 2]).sum().item();
    if (sum !== 4) throw new Error(`the sum of four ones came out as ${sum}`);
    const addon = findAddon();
    const { path, source } = addon.libtorch;
    return [
      { name: "addon", value: `${addon.source}: ${addon.path}`, needed: true },
      { name: "libtorch", value: `${version} from ${source}: ${path}`, needed: true },
      { name: "cpuCapability", value: cpuCapability, needed: false },
      { name: "kernels", value: kernels, needed: false },
      { name: "threads", value: `${threads()} of ${availableParallelism()} processors`, needed: false },
      cudaFinding(cuda),
    ];
  } catch (error) {
    const [reason] = (error as Error).message.split("\n");
    const problem = /\brun\b/.test(reason!)
      ? reason!
      : `${reason}; run ${setUpCommand()}, which builds it anew`;
    return [{ name: "addon", value: "does not load", needed: true, problem }];
  }
}

/** Difference that a comparison finds, or the reason that it could not be made. */
function attempted(compare: () => string | undefined): string | undefined {
  try {
    return compare();
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
}

/** CUDA on this machine; a device with our kernels is compared with the CPU. */
export function cudaFinding(
  { cuda, cudaDevices }: Omit<CudaAbilities, "libtorch">,
  compare: (device: string) => string | undefined = disagreement,
): Finding {
  const about = { name: "cuda", needed: false };
  if (cuda === "none") return { ...about, value: "no: this libtorch is built without it" };
  const devices = cudaDevices === 0 ? "no devices" : countText(cudaDevices, "device");
  if (cuda === "kernels" && cudaDevices === 0) return { ...about, value: devices };
  if (cuda === "kernels") {
    const difference = attempted(() => compare("cuda:0"));
    if (difference === undefined)
      return { ...about, value: `${devices}; SQA and noise are the CPU's to the bit` };
    return { ...about, value: `${devices}; wrong results`, problem: `${difference}: do not use this device` };
  }
  const problem =
    "the addon has no CUDA kernels, so SQA and its noise cannot run on a CUDA device; put nvcc on PATH and " +
    `run ${setUpCommand()}`;
  return { ...about, value: `${devices}; no kernels of our own`, problem };
}

function processor(): Finding[] {
  const model = cpus()[0]?.model.trim() || "unknown";
  return [
    { name: "cpu", value: model, needed: false },
    { name: "memory", value: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`, needed: false },
    { name: "bf16", value: bfloat16Support(cpuFlags()), needed: false },
  ];
}

/** Programs that only building the addon takes: nothing is wrong without them once it is built. */
function compiler(addonLoads: boolean): Finding[] {
  return ["g++", "cmake"].map((program) => {
    const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
    const needed = !addonLoads;
    if (status === 0) return { name: program, value: stdout.split("\n")[0]!, needed };
    return {
      name: program,
      value: "not found",
      needed,
      problem: `builds the addon; run apt-get install -y ${program}`,
    };
  });
}

/** Data sets with a place of their own; the main job needs one. Sources of a user have none. */
function dataFolders(): Finding[] {
  const named = datasets.definitions.filter(({ options }) => !("path" in options.shape));
  return named.map((definition) => {
    const needed = definition.name === "mnist";
    try {
      return { name: definition.name, value: definition.make({}).locate?.() ?? "in memory", needed };
    } catch (error) {
      return {
        name: definition.name,
        value: "not found",
        needed,
        problem: (error as Error).message.replace(`${definition.name}: `, ""),
      };
    }
  });
}

/** Everything that decides what runs on this machine and how fast. */
export function examine(): Finding[] {
  const engine = libtorch();
  const loads = engine.every(({ problem }) => problem === undefined);
  return [node(), ...engine, ...processor(), ...compiler(loads), ...dataFolders()];
}
