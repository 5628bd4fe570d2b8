import { deserialize, serialize } from "node:v8";
import { messageOf } from "../../base/index.js";
import { native } from "../native.js";
import { scope } from "../scope.js";
import { Tensor } from "../tensor.js";
import { FirstRankError, type Ranks } from "./ranks.js";

/** Value or error of the first rank, as it crosses to the others. */
type Answer = { readonly value: unknown } | { readonly error: string };

/** Ranks that the addon has joined. */
export class NativeRanks implements Ranks {
  readonly isFirst: boolean;
  #together = false;
  #device = "cpu";

  constructor(
    readonly rank: number,
    readonly size: number,
  ) {
    this.isFirst = rank === 0;
    process.on("exit", (code) => native().leaveRanks(this.#together ? 0 : code));
  }

  sumTensors(tensors: readonly Tensor[]): Tensor[] {
    const sums = native().sumTensors(tensors.map(({ handle }) => handle));
    return sums.map((handle) => new Tensor(handle));
  }

  sum(numbers: readonly number[]): number[] {
    const sums = Float64Array.from(numbers);
    native().sumNumbers(sums);
    return [...sums];
  }

  any(flag: boolean): boolean {
    return this.sum([flag ? 1 : 0])[0]! > 0;
  }

  fromFirst<T>(make: () => T): T {
    if (!this.isFirst) {
      const answer = deserialize(this.#bytesOfFirst(new Uint8Array(0))) as Answer;
      if ("error" in answer) throw new FirstRankError(`rank 0: ${answer.error}`);
      return answer.value as T;
    }
    let value: T;
    try {
      value = make();
    } catch (error) {
      this.#bytesOfFirst(serialize({ error: messageOf(error) }));
      throw error;
    }
    this.#bytesOfFirst(serialize({ value }));
    return value;
  }

  #bytesOfFirst(own: Uint8Array): Uint8Array {
    const length = new Uint8Array(BigUint64Array.of(BigInt(own.length)).buffer);
    native().bytesOfFirst(length);
    const bytes = this.isFirst ? own : new Uint8Array(Number(new BigUint64Array(length.buffer)[0]));
    native().bytesOfFirst(bytes);
    return bytes;
  }

  useDevice(device: string): void {
    if (device === "cpu" || device === this.#device) return;
    native().joinDevices(Number(device.split(":")[1]));
    this.#device = device;
  }

  copyFirst(tensors: readonly Tensor[]): void {
    scope(() => native().tensorsOfFirst(tensors.map(({ handle }) => handle)));
  }

  endTogether(): void {
    this.#together = true;
  }
}
