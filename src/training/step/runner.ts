import {
  capturesGraphs,
  type DeviceGraph,
  graphOrWarning,
  keep,
  passesBeforeCapture,
  scope,
  searchConvolutions,
  type Tensor,
} from "../../engine/index.js";

/** The work of a step: returns the gradients by which it moved the weights. */
export type Work = () => readonly Tensor[];

/** Does the work of steps: one by one, or, where the device can, by replaying one captured graph. */
export class StepRunner {
  readonly #device: string;
  /** False once a capture has failed. */
  #captures: boolean;
  #done = 0;
  #graph: { readonly graph: DeviceGraph; readonly stepScale: number } | undefined;
  #gradients: readonly Tensor[] = [];

  /**
   * Steps of several ranks are not to be captured: a capture that failed on one would leave the others
   * waiting.
   */
  constructor(device: string, mayCapture = true) {
    this.#device = device;
    this.#captures = mayCapture && capturesGraphs(device);
    // Steps are alike; an evaluation's batches are of too many sizes for that.
    searchConvolutions(device !== "cpu");
  }

  /** Tells whether steps are replayed as a graph, or will be. */
  get captures(): boolean {
    return this.#captures;
  }

  /** The gradients of the last step; none after `forget`. */
  get gradients(): readonly Tensor[] {
    return this.#gradients;
  }

  /** Work that is like no other, such as that of a smaller batch. */
  once(work: Work): void {
    this.forget();
    this.#gradients = scope(() => [...work()]).map((gradient) => keep(gradient));
    this.#done++;
  }

  /** Work that is the same at every call but for `stepScale`, a number in it that changes seldom. */
  repeat(work: Work, stepScale: number): void {
    const graph = this.#graphOf(work, stepScale);
    if (graph === undefined) {
      this.once(work);
      return;
    }
    this.forget();
    graph.replay();
    this.#gradients = graph.results;
  }

  /**
   * The work's graph, captured anew where `stepScale` changed; undefined where there is none, or none yet.
   */
  #graphOf(work: Work, stepScale: number): DeviceGraph | undefined {
    if (!this.#captures || this.#done < passesBeforeCapture) return undefined;
    if (this.#graph?.stepScale === stepScale) return this.#graph.graph;
    this.#dropGraph();
    const graph = graphOrWarning(this.#device, work, "training steps");
    if (graph === undefined) this.#captures = false;
    else this.#graph = { graph, stepScale };
    return graph;
  }

  #dropGraph(): void {
    this.forget();
    this.#graph?.graph.dispose();
    this.#graph = undefined;
  }

  /** Frees the last step's gradients; a graph keeps its own. */
  forget(): void {
    if (this.#gradients !== this.#graph?.graph.results) {
      for (const gradient of this.#gradients) gradient.dispose();
    }
    this.#gradients = [];
  }

  dispose(): void {
    this.#dropGraph();
    searchConvolutions(false);
  }
}
