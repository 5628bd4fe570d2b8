import { NotFiniteError } from "../../base/index.js";
import { keep, operators as ops, scope, type Tensor } from "../../engine/index.js";

/** Passes between two readings: each reading waits for the device. */
const passesPerReading = 16;

/**
 * Watches what a network answers an attack for NaN and infinities, since the sign of NaN is 0 and a comparison with it false: such a
 * network would pass for a robust one. What it has seen is read every few passes and by `check`.
 */
export class FiniteWatch {
  readonly #attack: string;
  /** Of each pass since the last reading, the sums of its logits and of its gradients, which are finite where all of them are. */
  readonly #sums: Tensor;
  #unread = 0;

  /** `attack` opens the message of an error. */
  constructor(attack: string, device: string) {
    this.#attack = attack;
    this.#sums = keep(ops.zeros([passesPerReading, 2], "float32", device));
  }

  /** Takes note of a pass. */
  see(logits: Tensor, gradients?: Tensor): void {
    scope(() => {
      const row = this.#sums.select(0, this.#unread++);
      row.select(0, 0).copy_(logits.sum());
      // Of a pass without gradients, what an earlier one left there does not count.
      row.select(0, 1).copy_((gradients ?? logits).sum());
    });
    if (this.#unread === passesPerReading) this.check();
  }

  /** Throws a NotFiniteError where a pass was not finite; of the first such one, gradients are at fault only where its logits were finite. */
  check(): void {
    const rows = this.#unread;
    if (rows === 0) return;
    this.#unread = 0;
    const sums = scope(() => this.#sums.slice(0, 0, rows).toNumbers());
    const first = sums.findIndex((sum) => !Number.isFinite(sum));
    if (first < 0) return;
    throw first % 2 === 0
      ? new NotFiniteError("logits", `attack ${this.#attack}: the network's logits are not finite`)
      : new NotFiniteError("gradients", `attack ${this.#attack}: the gradient of the network's loss is not finite`);
  }

  /** What is behind an error in the midst of an attack: numbers that are not finite, where some were seen; else the error itself. */
  causeOf(error: unknown): unknown {
    // Who stopped it is to hear that, and not of a network that was not measured.
    if (error instanceof DOMException) return error;
    try {
      this.check();
    } catch (found) {
      // A device in trouble cannot be read either.
      if (found instanceof NotFiniteError) return found;
    }
    return error;
  }

  dispose(): void {
    this.#sums.dispose();
  }
}
