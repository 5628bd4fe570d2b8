import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import { grayLevels, imagePng, shownChange } from "../../src/report/image-png.js";

it("rounds pixels to the nearest of 256 levels", () => {
  expect([...grayLevels(Float32Array.of(0, 1, 0.5, 0.001, 0.999))]).toEqual([0, 255, 128, 0, 255]);
});

it("shows the change of an image by its largest", () => {
  const clean = Float32Array.of(0.5, 0.5, 0.5, 0.5);
  const { pixels, largest } = shownChange(clean, Float32Array.of(0.5, 0.53125, 0.46875, 0.515625));
  expect([...pixels]).toEqual([0.5, 1, 0, 0.75]);
  expect(largest).toBe(0.03125);
  expect([...shownChange(clean, clean).pixels]).toEqual([0.5, 0.5, 0.5, 0.5]);
});

describe("a PNG", () => {
  it("of one channel holds the levels row by row", () => {
    const { width, height, channels, depth, data } = decode(
      imagePng(Uint8Array.of(1, 2, 3, 4, 5, 6), [1, 2, 3]),
    );
    expect([width, height, channels, depth]).toEqual([3, 2, 1, 8]);
    expect([...data]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("of three channels mixes the planes pixel by pixel", () => {
    const planes = Uint8Array.of(1, 2, 3, 4, 11, 12, 13, 14, 21, 22, 23, 24);
    const { width, height, channels, data } = decode(imagePng(planes, [3, 2, 2]));
    expect([width, height, channels]).toEqual([2, 2, 3]);
    expect([...data]).toEqual([1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24]);
  });

  it("makes squares of pixels by its zoom", () => {
    const gray = decode(imagePng(Uint8Array.of(1, 2), [1, 1, 2], 2));
    expect([gray.width, gray.height, ...gray.data]).toEqual([4, 2, 1, 1, 2, 2, 1, 1, 2, 2]);
    const color = decode(imagePng(Uint8Array.of(1, 2, 3), [3, 1, 1], 2));
    expect([color.width, color.height, ...color.data]).toEqual([2, 2, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
  });

  it("refuses other channels and levels that do not fill it", () => {
    expect(() => imagePng(new Uint8Array(8), [2, 2, 2])).toThrow("an image has 1 or 3 channels, not 2");
    expect(() => imagePng(new Uint8Array(5), [1, 2, 3])).toThrow("an image of [1, 2, 3] has 6 levels, not 5");
  });
});
