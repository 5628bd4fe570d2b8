import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Split } from "../../src/datasets/index.js";
import { saveWeights } from "../../src/training/index.js";
import { type NetworkName, networks } from "./networks.js";

/**
 * Files that the contenders read: images as bytes with their labels after them, and first weights by network.
 */
export class PeerFiles implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "sqa-bench-"));
  #written = 0;

  images({ images, labels }: Split): string {
    const path = join(this.#folder, `images-${this.#written++}`);
    writeFileSync(path, Buffer.concat([Buffer.from(images), Buffer.from(labels)]));
    return path;
  }

  /** The weights that a run with seed 0 begins with. */
  weights(network: NetworkName): string {
    const path = join(this.#folder, `${network}.safetensors`);
    const { module } = networks[network].model.build({ seed: 0 });
    saveWeights(path, module);
    module.dispose();
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
