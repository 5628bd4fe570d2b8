import { expect, test } from "vitest";
import { imagesOf } from "../../src/datasets/index.js";
import { alone } from "../../src/engine/index.js";
import { modelOf } from "../../src/models/index.js";
import { BatchNorm2d, Flatten, Linear, type Module, type Pass, Sequential } from "../../src/nn/index.js";
import { TrainingSession, trainConfig } from "../../src/training/index.js";
import { shareOf } from "../../src/training/step/share.js";

const four = { ...alone, size: 4, rank: 1 };

test("parts of a batch are all of it, in its order, and as large as each other but for one image", () => {
  for (const images of [4, 5, 35, 128]) {
    const batch = Int32Array.from({ length: images }, (_, i) => 7 * i);
    const parts = [0, 1, 2, 3].map((rank) => shareOf(batch, { rank, size: 4 }));
    expect(parts.flatMap(({ positions }) => [...positions])).toEqual([...batch]);
    const counts = parts.map(({ count }) => count);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(parts.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
  }
  expect(shareOf(Int32Array.of(3, 1), alone)).toEqual({ positions: Int32Array.of(3, 1), count: 2, share: 1 });
});

/** Layer that does not say how ranks share it. */
class Mixed extends BatchNorm2d {
  protected override forward(input: ReturnType<Module["apply"]>, _pass: Pass) {
    return input;
  }
}

const images = Uint8Array.from({ length: 21 * 16 }, (_, i) => i % 251);
const labels = Uint8Array.from({ length: 21 }, (_, i) => i % 2);
const data = imagesOf({ images, labels, shape: [1, 4, 4], classes: ["a", "b"], test: 1 / 21, name: "tiny" });

function config(layer: Module, batchSize: number, defenses: string[] = []) {
  const network = (seed: number) =>
    new Sequential({ norm: layer, flatten: new Flatten(), fc: new Linear(16, 2, { seed }) });
  const model = modelOf(network, { name: "net", inputShape: [1, 4, 4], classes: 2 });
  return trainConfig({ model, data, method: "standard", batchSize, defenses: defenses as never });
}

test("work that ranks would not share to the same result is refused before any step", () => {
  const begun = (...given: Parameters<typeof config>) => new TrainingSession(config(...given), "cpu", four);
  begun(new BatchNorm2d(1), 10).dispose();
  // 20 images are 6 batches of 3, and one of 2.
  expect(() => begun(new BatchNorm2d(1), 3)).toThrow(/a batch of 2 images cannot be shared by 4 ranks/);
  expect(() => begun(new BatchNorm2d(1), 19)).toThrow(/a batch of 1 image cannot be shared/);
  expect(() => begun(new Mixed(1), 10)).toThrow(/Mixed mixes the images of a batch.*4 ranks/);
  expect(() => begun(new BatchNorm2d(1), 10, ["sqa(norm=1, range=batch)"])).toThrow(
    /QuantizedActivation mixes/,
  );
});
