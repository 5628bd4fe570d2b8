import { NotFiniteError } from "../../base/index.js";
import { keep, operators as ops, scope, type Tensor } from "../../engine/index.js";

/** Passes between two readings: each reading waits for the device. */
const passesPerReading = 16;

/**
 * Watches a classifier's answers to an attack for NaN and infinities. The sign of NaN is 0 and a comparison
 * with it is false, so such a classifier would pass for a robust one. It reads what it saw every few passes,
 * and in `check`.
 */
export class FiniteWatch {
  readonly #attack: string;
  /** Sums of each pass's logits and of its gradients since the last reading: finite where all of them are. */
  readonly #sums: Tensor;
  #unread = 0;

  /** The attack's name opens the message of an error. */
  constructor(attack: string, device: string) {
    this.#attack = attack;
    this.#sums = keep(ops.zeros([passesPerReading, 2], "float32", device));
  }

  /** Result of an attack on a device, where all that its watch saw was finite; else a NotFiniteError. */
  static over<T>(attack: string, device: string, work: (watch: FiniteWatch) => T): T {
    const watch = new FiniteWatch(attack, device);
    try {
      const found = work(watch);
      watch.check();
      return found;
    } catch (error) {
      throw watch.causeOf(error);
    } finally {
      watch.dispose();
    }
  }

  /** Takes note of a pass. */
  see(logits: Tensor, gradients?: Tensor): void {
    scope(() => {
      const row = this.#sums.select(0, this.#unread++);
      row.select(0, 0).copy_(logits.sum());
      // Of a pass without gradients, the ones that an earlier pass left there do not count.
      row.select(0, 1).copy_((gradients ?? logits).sum());
    });
    if (this.#unread === passesPerReading) this.check();
  }

  /**
   * Throws a NotFiniteError where a pass was not finite. It blames gradients only where their logits were
   * finite.
   */
  check(): void {
    const rows = this.#unread;
    if (rows === 0) return;
    this.#unread = 0;
    const sums = scope(() => this.#sums.slice(0, 0, rows).toNumbers());
    const first = sums.findIndex((sum) => !Number.isFinite(sum));
    if (first < 0) return;
    const what = first % 2 === 0 ? "logits" : "gradients";
    const where =
      what === "logits" ? "the classifier's logits are" : "the gradient of the classifier's loss is";
    throw new NotFiniteError(what, `attack ${this.#attack}: ${where} not finite`);
  }

  /**
   * Cause of an error in the midst of an attack: numbers that are not finite, where it saw some; else the
   * error.
   */
  causeOf(error: unknown): unknown {
    // Whoever stopped the attack is to hear that, not of a classifier that was not measured.
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
