import type { TopLevelSpec } from "vega-lite";
import { imagePng } from "./image-png.js";
import { CHART_THEME } from "./palette.js";
import { grid, type Panel, type Titles } from "./panel-grid.js";

/** A picture in a grid, PNG as base64. */
export interface PicturePanel extends Panel {
  readonly png: string;
}

/** Names of a legend with their colors. */
export type ColorLegend = readonly { readonly name: string; readonly color: string }[];

/** Square pictures as a vega-lite spec, with a legend of the colors in them. RangeError for no panels. */
export function picturePanels(
  panels: readonly PicturePanel[],
  titles: Titles & { readonly legend: ColorLegend; readonly size?: number },
): TopLevelSpec {
  const { legend, size = 340 } = titles;
  const bad = panels.find(({ png }) => !/^[A-Za-z0-9+/]+={0,2}$/.test(png));
  if (bad !== undefined) throw new RangeError(`the picture of "${bad.column}", "${bad.row}" is no base64`);
  const values = panels.flatMap(({ row, column, png }) => [
    { row, column, url: `data:image/png;base64,${png}` },
    ...legend.map(({ name }) => ({ row, column, name })),
  ]);
  const middle = { x: { value: size / 2 }, y: { value: size / 2 } };
  return {
    ...grid(panels, titles, size),
    data: { values },
    spec: {
      width: size,
      height: size,
      view: { stroke: CHART_THEME.axis.gridColor },
      layer: [
        {
          transform: [{ filter: "isValid(datum.url)" }],
          mark: { type: "image", width: size, height: size },
          encoding: { ...middle, url: { field: "url", type: "nominal" } },
        },
        {
          // Marks that nobody sees, for the legend.
          transform: [{ filter: "isValid(datum.name)" }],
          mark: { type: "point", filled: true, opacity: 0, size: 0 },
          encoding: {
            ...middle,
            color: {
              field: "name",
              type: "nominal",
              scale: { domain: legend.map(({ name }) => name), range: legend.map(({ color }) => color) },
              legend: {
                orient: "bottom",
                columns: legend.length,
                columnPadding: 16,
                symbolSize: 80,
                symbolType: "circle",
                symbolOpacity: 1,
              },
            },
          },
        },
      ],
    },
  };
}

/** An image to draw: gray levels, row-major (C, H, W), its place in [0, 1] from the top left, its color. */
export interface PlacedImage {
  readonly levels: Uint8Array;
  readonly x: number;
  readonly y: number;
  /** Such as `#0072b2`. */
  readonly color: string;
}

const rgbOf = (color: string) => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));

/** Steps of a mixture of colors, which keep the file small. */
const mixtures = 15;

/**
 * Draws small images on a white square, later ones over earlier ones, as a PNG. Gray images become ink of
 * their color, as strong as they are bright; images in color have a frame of it.
 *
 * @param shape shape of each image, of one channel or three
 * @param side pixels of the square's side
 */
export function drawImages(
  images: readonly PlacedImage[],
  shape: readonly [number, number, number],
  side: number,
): Uint8Array {
  const [channels, height, width] = shape;
  if (channels !== 1 && channels !== 3) throw new RangeError(`an image has 1 or 3 channels, not ${channels}`);
  if (Math.max(height, width) > side) throw new RangeError(`images of ${height} x ${width} exceed ${side}`);
  const canvas = new Uint8Array(3 * side * side).fill(255);
  for (const { levels, x, y, color } of images) {
    const ink = rgbOf(color);
    const [left, top] = [Math.round(x * (side - width)), Math.round(y * (side - height))];
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const at = (top + row) * side + left + column;
        const isFrame = row < 2 || column < 2 || row >= height - 2 || column >= width - 2;
        for (let channel = 0; channel < 3; channel++) {
          const index = channel * side * side + at;
          const from = row * width + column;
          if (channels === 3) {
            canvas[index] = isFrame ? ink[channel]! : levels[channel * height * width + from]!;
          } else {
            const share = Math.round((levels[from]! / 255) * mixtures) / mixtures;
            canvas[index] = Math.round(canvas[index]! * (1 - share) + ink[channel]! * share);
          }
        }
      }
    }
  }
  return imagePng(canvas, [3, side, side]);
}
