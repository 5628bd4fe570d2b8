import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { datasetByName, type SplitName, subset } from "../src/datasets/index.js";
import { saveWeights } from "../src/training/index.js";
import { type NetworkName, networks } from "./options.js";

/** What the peers read: MNIST's first images of a split, bytes of images and then of labels, and first weights by network. */
export class PeerFiles implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "sqa-bench-"));

  images(count: number, split: SplitName = "train"): string {
    const path = join(this.#folder, `${split}-${count}`);
    const { images, labels } = subset(datasetByName("mnist").load()[split], count);
    writeFileSync(path, Buffer.concat([images, labels]));
    return path;
  }

  /** The weights that a run with seed 0 begins with. */
  weights(network: NetworkName): string {
    const path = join(this.#folder, `${network}.safetensors`);
    const { module } = networks[network].build({ seed: 0 });
    saveWeights(path, module);
    module.dispose();
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
