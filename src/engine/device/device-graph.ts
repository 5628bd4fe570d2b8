import { native } from "../native.js";
import { keep, scope } from "../scope.js";
import type { Tensor } from "../tensor.js";
import { checkDevice, versions } from "./devices.js";
import { withoutHostAccess } from "./host-access.js";

/**
 * Work on a CUDA device, recorded as one CUDA graph and done at each replay, without the program in between.
 */
export interface DeviceGraph {
  /**
   * The tensors that the work returned: each replay writes new values to them, and they live as long as the
   * graph.
   */
  readonly results: readonly Tensor[];
  /** Does the work once more, in order with all other work on the device, and does not wait for it. */
  replay(): void;
  /** Frees the graph and its results. */
  dispose(): void;
}

/** Tells whether work on a device can be captured: on a CUDA device, where the addon was built with nvcc. */
export function capturesGraphs(device: string): boolean {
  return device.startsWith("cuda") && versions().cuda === "kernels";
}

/**
 * Records work on a device (`cuda`, `cuda:1`) without doing it. It reads and writes the tensors that it
 * finds, at every replay anew; numbers in it are those of the recording. libtorch asks that the same work was
 * done a few times before. Throws a RangeError for a device that cannot capture, and an Error where the work
 * waits for the device (`withoutHostAccess`).
 */
export function captureGraph(device: string, work: () => readonly Tensor[]): DeviceGraph {
  if (!capturesGraphs(device)) {
    throw new RangeError(
      `device must be a CUDA device, of an addon built with nvcc, to capture a graph, not ${device}`,
    );
  }
  const graph = native().beginGraph(Number(checkDevice(device).split(":")[1]));
  try {
    const results = withoutHostAccess(() => scope(() => [...work()])).map((tensor) => keep(tensor));
    native().endGraph(graph);
    return {
      results,
      replay: () => native().replayGraph(graph),
      dispose() {
        for (const tensor of results) tensor.dispose();
        native().disposeGraph(graph);
      },
    };
  } catch (error) {
    native().disposeGraph(graph);
    throw error;
  }
}

/**
 * So many times work is done operator by operator before it is captured: libtorch and its libraries make
 * themselves ready.
 */
export const passesBeforeCapture = 3;

/** `captureGraph`, where a capture that fails is a warning, which says of what, and undefined. */
export function graphOrWarning(
  device: string,
  work: () => readonly Tensor[],
  what: string,
): DeviceGraph | undefined {
  try {
    return captureGraph(device, work);
  } catch (error) {
    process.emitWarning(`${what} are done operator by operator, since no graph could be captured: ${error}`);
    return undefined;
  }
}
