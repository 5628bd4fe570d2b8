/** Event of the training of a defense's part. */
export type PartEvent =
  | { type: "start"; run: string; epochs: number; stepsPerEpoch: number; step: number; parameters: number }
  | { type: "step"; epoch: number; step: number; loss: number; learningRate: number }
  | {
      type: "epoch";
      epoch: number;
      step: number;
      /** Mean training loss of the epoch. */
      loss: number;
      /** The part's own measure on test images. */
      measure: number;
      /** Training time so far, over all sittings. */
      seconds: number;
    }
  | { type: "checkpoint"; step: number; path: string }
  | { type: "stopped"; run: string; step: number }
  | { type: "end"; run: string; weights: string; result: PartResult };

/** Result of a trained part. */
export interface PartResult {
  readonly steps: number;
  /** Mean training loss of the last epoch. */
  readonly loss: number;
  /** The part's own measure on test images. */
  readonly measure: number;
  readonly seconds: number;
}
