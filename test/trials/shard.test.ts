import { expect, test } from "vitest";
import { placesOf, shardBatchSize } from "../../src/trials/index.js";

test("a batch size for shards leaves none without a batch, and changes no more than that takes", () => {
  for (let images = 1; images <= 40; images++) {
    for (let count = 1; count <= images; count++) {
      for (const asked of [1, 3, 500]) {
        const size = shardBatchSize(images, asked, count);
        expect(size).toBeLessThanOrEqual(asked);
        const shards = Array.from({ length: count }, (_, i) =>
          placesOf(images, size, { index: i + 1, count }),
        );
        expect(shards.filter((places) => places.length === 0)).toEqual([]);
        const all = shards.flat().sort((a, b) => a.first - b.first);
        expect(all).toEqual(placesOf(images, size));
      }
    }
  }
  expect([shardBatchSize(100, 50, 3), shardBatchSize(5, 50, 4), shardBatchSize(200, 50, 2)]).toEqual([
    34, 1, 50,
  ]);
});
