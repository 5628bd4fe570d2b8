import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import {
  contentHash,
  imagesFrom,
  imagesOf,
  prepareImages,
  type Split,
  subset,
  TensorSplit,
} from "../../src/datasets/index.js";
import { pickedPixels } from "../../src/datasets/pixels/stored.js";
import { scope, tensor } from "../../src/engine/index.js";
import { evaluate } from "../../src/evaluation/index.js";
import { resnet18 } from "../../src/models/index.js";
import { modelFromRun, train } from "../../src/training/index.js";
import { pixelsOf, pngOf, writeClasses } from "./image-files.js";

const parent = mkdtempSync(join(tmpdir(), "sqa-stored-"));
afterAll(() => rmSync(parent, { recursive: true }));
let made = 0;
const cache = () => join(process.env.XDG_CACHE_HOME!, "sqa", "pixels");
beforeEach(() => {
  vi.stubEnv("XDG_CACHE_HOME", join(parent, `cache-${made++}`));
});
const newClasses = (count = 3) => writeClasses(join(parent, `classes-${made++}`), ["a", "b"], count);

/** The same images and labels in memory. */
async function inMemory(split: Split) {
  const images = await pixelsOf(split);
  return { images, labels: split.labels, shape: split.imageShape, classes: split.classNames };
}

describe("images that lie in files", () => {
  test("are not read before they are prepared, and never all at once", async () => {
    const { test: split } = imagesFrom(newClasses());
    expect(() => split.images).toThrow(/lie in files: await prepareImages\(split\)/);
    expect(() => split.stored!.read([0])).toThrow(/a\/0.png is not decoded yet/);
    await prepareImages(subset(split, 2));
    expect(split.stored!.read([1])).toHaveLength(360);
    expect(() => split.stored!.read([2])).toThrow(/not decoded yet/);
  });

  test("are decoded once, and anew where a file changed or the cache is damaged", async () => {
    const folder = newClasses();
    const open = () => imagesFrom(folder, { size: 8 }).test;
    const first = await pixelsOf(open());
    const [key] = readdirSync(cache());
    const pixels = join(cache(), key!, "pixels.bin");
    const before = readFileSync(pixels);
    expect(Buffer.from(first).equals(before)).toBe(true);

    const damaged = Buffer.from(before);
    damaged[200]! ^= 1;
    writeFileSync(pixels, damaged);
    expect(Buffer.from(await pixelsOf(open())).equals(before)).toBe(true);

    writeFileSync(pixels, before.subarray(0, 100));
    expect(Buffer.from(await pixelsOf(open())).equals(before)).toBe(true);

    const split = open();
    await prepareImages(split);
    writeFileSync(pixels, damaged);
    expect(() => split.stored!.read([1])).toThrow(/removed or damaged meanwhile/);

    writeFileSync(join(folder, "a", "0.png"), pngOf(1, 77));
    const changed = Buffer.from(await pixelsOf(open()));
    expect(changed.subarray(0, 192).equals(before.subarray(0, 192))).toBe(false);
    expect(changed.subarray(192).equals(before.subarray(192))).toBe(true);
    await expect(prepareImages(split)).resolves.toBeUndefined();
    expect(contentHash(open())).not.toBe(contentHash(split));
  });

  test("are asked for in batches, on the way of a training step as well", async () => {
    const { test: split } = imagesFrom(newClasses());
    const all = await pixelsOf(split);
    const data = new TensorSplit(split);
    scope(() => {
      const wanted = [...all.subarray(4 * 360, 5 * 360), ...all.subarray(0, 360)].map((byte) =>
        Math.fround(byte / 255),
      );
      const positions = Int32Array.of(4, 0);
      expect(data.batch(positions).images.toNumbers()).toEqual(wanted);
      data.stage(Int32Array.of(1, 2, 3));
      data.stage(positions);
      const { images, labels } = data.at(tensor(positions, [2], "int64"));
      expect(images.toNumbers()).toEqual(wanted);
      expect(labels.toNumbers()).toEqual([0, 0]);
    });
    data.dispose();
    const picked = pickedPixels(split.stored!, Int32Array.of(5, 1));
    expect([...picked.read([1, 0])]).toEqual([...all.subarray(360, 720), ...all.subarray(1800, 2160)]);
  });

  test("stop being prepared on a signal, with a progress until then", async () => {
    const { test: split } = imagesFrom(newClasses(30));
    const stop = new AbortController();
    const seen: number[] = [];
    const onProgress = ({ done }: { done: number }) => {
      seen.push(done);
      if (done === 3) stop.abort();
    };
    await expect(prepareImages(split, { signal: stop.signal, onProgress })).rejects.toThrow(/abort/i);
    expect(seen.length).toBeLessThan(15);
    await prepareImages(split, { onProgress: ({ total }) => expect(total).toBe(60) });
  });

  test("give the numbers of the same images in memory, evaluated and trained on", async () => {
    const data = imagesFrom(newClasses(8), { test: 0.25, size: 8 });
    const memory = imagesOf({ ...(await inMemory(data.train)), test: await inMemory(data.test) });
    const model = resnet18({ width: 4, classes: 2, inputShape: [3, 8, 8] }).build({ seed: 1 });
    const options = { attacks: ["pgd(epsilon=8/255, steps=3)"] };
    const [stored, kept] = [await evaluate(model, data, options), await evaluate(model, memory, options)];
    expect(stored.attacks[0]!.perImage).toEqual(kept.attacks[0]!.perImage);
    expect(stored.clean).toEqual(kept.clean);
    const config = {
      model: resnet18({ width: 4, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] }),
      method: "fgsm(epsilon=8/255)",
      epochs: 2,
      batchSize: 5,
    } as const;
    const runs = join(parent, `runs-${made++}`);
    const [one, other] = [
      await train({ ...config, data }, { runs }),
      await train({ ...config, data: memory }, { runs }),
    ];
    expect(one.result.weightsSha256).toHaveLength(64);
    const weights = (of: typeof one) =>
      [...of.model.module.state().values()].flatMap((value) => value.toNumbers());
    expect(weights(one)).toEqual(weights(other));
    await expect(train({ ...config, data }, { runs })).resolves.toMatchObject({ folder: one.folder });
  }, 60_000);

  test("may be gone when their run is opened", async () => {
    const folder = newClasses(4);
    const data = imagesFrom(folder, { test: 0.25, size: 8 });
    const model = resnet18({ width: 4, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] });
    const config = { model, data, method: "fgsm(epsilon=8/255)", epochs: 1, batchSize: 6 } as const;
    const run = await train(config, { runs: join(parent, `runs-${made++}`) });
    expect(modelFromRun(run.folder).config.data.test.count).toBe(2);
    rmSync(folder, { recursive: true });
    const opened = modelFromRun(run.folder);
    expect(opened.model.inputShape).toEqual([3, 8, 8]);
    expect([opened.config.data.identity, opened.config.data.classNames]).toEqual([data.identity, ["a", "b"]]);
    expect(() => opened.config.data.test).toThrow(/give them again, as { data } or --images FILE/);
  }, 120_000);
});
