import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import { renderPng, renderSvg } from "../../src/report/chart.js";
import { drawImages, picturePanels } from "../../src/report/picture-panels.js";

const red = "#ff0000";

/** Pixel of a drawing, as [red, green, blue]. */
function pixelOf(png: Uint8Array, x: number, y: number): number[] {
  const { data, width, channels } = decode(png);
  expect(channels).toBe(3);
  return [...data.slice(3 * (y * width + x), 3 * (y * width + x + 1))];
}

describe("drawImages", () => {
  it("makes gray images ink of their color, over what is below", () => {
    const half = { levels: Uint8Array.of(0, 255, 0, 119), x: 0, y: 0, color: red };
    const png = drawImages([half], [1, 2, 2], 6);
    expect(pixelOf(png, 0, 0)).toEqual([255, 255, 255]);
    expect(pixelOf(png, 1, 0)).toEqual([255, 0, 0]);
    // 119 of 255 is 7 of 15 parts: 8 parts of white are left.
    expect(pixelOf(png, 1, 1)).toEqual([255, 136, 136]);
    const twice = drawImages([half, { ...half, color: "#0000ff" }], [1, 2, 2], 6);
    expect(pixelOf(twice, 1, 0)).toEqual([0, 0, 255]);
  });

  it("frames images in color, and places them from the top left", () => {
    const levels = Uint8Array.from({ length: 3 * 25 }, (_, i) => 10 * (1 + Math.floor(i / 25)));
    const png = drawImages([{ levels, x: 1, y: 0, color: red }], [3, 5, 5], 20);
    expect(pixelOf(png, 17, 2)).toEqual([10, 20, 30]);
    for (const [x, y] of [
      [15, 0],
      [19, 4],
      [16, 2],
    ] as const)
      expect(pixelOf(png, x, y)).toEqual([255, 0, 0]);
    expect(pixelOf(png, 14, 0)).toEqual([255, 255, 255]);
    expect(pixelOf(png, 17, 5)).toEqual([255, 255, 255]);
  });

  it("refuses images that are larger than the square, or of two channels", () => {
    expect(() => drawImages([], [1, 9, 2], 8)).toThrow("images of 9 x 2 exceed 8");
    expect(() => drawImages([], [2, 2, 2], 8)).toThrow("1 or 3 channels, not 2");
  });
});

describe("picturePanels", () => {
  const titles = { title: "Places", subtitle: ["of digits"], legend: [{ name: "seven", color: red }] };
  const whole = { levels: Uint8Array.of(255), x: 0, y: 0, color: "#00ff00" };
  const png = Buffer.from(drawImages([whole], [1, 1, 1], 1)).toString("base64");

  it("shows each picture in its row and column, with a legend", async () => {
    const panels = [
      { row: "clean", column: "plain", png },
      { row: "clean", column: "SQA", png },
    ];
    const svg = await renderSvg(picturePanels(panels, { ...titles, size: 50 }));
    expect(svg.match(/data:image\/png;base64,/g)).toHaveLength(2);
    for (const text of ["Places", "of digits", "plain", "SQA", "clean", "seven"])
      expect(svg).toContain(`>${text}</text>`);
    const { data, channels } = decode(await renderPng(svg));
    let green = 0;
    let inRed = 0;
    for (let i = 0; i < data.length; i += channels) {
      if (data[i] === 0 && data[i + 1] === 255 && data[i + 2] === 0) green++;
      if (data[i] === 255 && data[i + 1] === 0 && data[i + 2] === 0) inRed++;
    }
    // Two panels of 50 x 50, drawn at twice the size, but for their frames' edges.
    expect(green).toBeGreaterThan(2 * 95 * 95);
    expect(green).toBeLessThanOrEqual(2 * 100 * 100);
    expect(inRed).toBeGreaterThan(50);
  });

  it("takes base64 alone", () => {
    const bad = [{ row: "a", column: "b", png: 'x"><script>' }];
    expect(() => picturePanels(bad, titles)).toThrow('the picture of "b", "a" is no base64');
  });
});
