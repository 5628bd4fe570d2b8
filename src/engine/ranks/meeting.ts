import type { Launch } from "./launch.js";

/** Place where ranks meet that torchrun started, and how they reach each other. */
export interface Meeting {
  readonly host: string;
  readonly port: number;
  /** True for the rank that serves there; torchrun may do so itself. */
  readonly serves: boolean;
  /** Name that tells this start from an earlier one that met at the same place. */
  readonly name: string;
  /** Address of this rank for the others; empty for that of the host's name. */
  readonly address: string;
  /** Network interface of that address instead; empty where none is chosen. */
  readonly networkInterface: string;
}

/**
 * Place where ranks meet, by the variables of torchrun. Ranks of one machine meet on it alone;
 * `GLOO_SOCKET_IFNAME` names the interface by which several reach each other.
 *
 * @throws RangeError where a variable is missing
 */
export function meetingOf(
  { rank, size, localSize }: Launch,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Meeting {
  const {
    MASTER_ADDR: host,
    MASTER_PORT: port,
    TORCHELASTIC_RESTART_COUNT,
    GLOO_SOCKET_IFNAME,
  } = environment;
  if (!host || !/^\d{1,5}$/.test(port ?? "") || Number(port) < 1 || Number(port) > 65535) {
    throw new RangeError(
      `RANK=${rank} WORLD_SIZE=${size} MASTER_ADDR=${host ?? ""} MASTER_PORT=${port ?? ""}: torchrun gives ` +
        "all of them, the last in 1 .. 65535; give both places, or take RANK and WORLD_SIZE out of the " +
        "environment, or give --standalone",
    );
  }
  return {
    host,
    port: Number(port),
    serves: rank === 0 && environment.TORCHELASTIC_USE_AGENT_STORE !== "True",
    name: `sqa-${TORCHELASTIC_RESTART_COUNT ?? 0}`,
    address: localSize === size ? "127.0.0.1" : "",
    networkInterface: GLOO_SOCKET_IFNAME ?? "",
  };
}
