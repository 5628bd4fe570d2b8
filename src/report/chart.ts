import { createRequire } from "node:module";
import type { ResvgRenderOptions } from "@resvg/resvg-js";
import type { TopLevelSpec } from "vega-lite";
import { writeFileAtomic } from "../base/index.js";

/** The chart of a vega-lite spec as SVG. vega is loaded on first use, for it takes most of a second. */
export async function renderSvg(spec: TopLevelSpec): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import("vega"), import("vega-lite")]);
  const compiled = vegaLite.compile(spec, { logger: vega.logger(vega.Error) }).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: "none", logLevel: vega.Error });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/**
 * Manner in which a PNG is drawn: its width in pixels (twice the SVG's by default), and the only fonts to
 * use.
 */
export interface PngOptions {
  readonly width?: number;
  readonly fontFiles?: readonly string[];
}

/** An SVG as PNG. An Error when no font can be found. */
export async function renderPng(svg: string, options: PngOptions = {}): Promise<Buffer> {
  const { width } = options;
  if (width !== undefined && !(Number.isInteger(width) && width >= 1 && width <= 16_384)) {
    throw new RangeError(`width must be a whole number in [1, 16384], given ${width}`);
  }
  const { Resvg } = await import("@resvg/resvg-js");
  const font = chartFonts(options.fontFiles);
  // Without any font resvg leaves text out and says nothing: a chart without numbers would look finished.
  const letter = new Resvg(
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text y="15">0</text></svg>',
    {
      font,
    },
  );
  if (letter.innerBBox() === undefined) throw new Error(NO_FONT);
  const fitTo =
    width === undefined ? { mode: "zoom" as const, value: 2 } : { mode: "width" as const, value: width };
  return new Resvg(svg, { font, fitTo }).render().asPng();
}

const NO_FONT =
  "no font was found to draw text with, so no PNG can be made; install one, such as Debian's " +
  "fonts-dejavu-core";

/**
 * The DejaVu package where it is installed, for then a chart is the same on every machine; else the system's
 * fonts.
 */
function chartFonts(given?: readonly string[]): NonNullable<ResvgRenderOptions["font"]> {
  const fontFiles = given ?? packagedFonts();
  const family = { defaultFontFamily: "DejaVu Sans", sansSerifFamily: "DejaVu Sans" };
  return fontFiles === undefined ? family : { ...family, fontFiles: [...fontFiles], loadSystemFonts: false };
}

function packagedFonts(): string[] | undefined {
  const { resolve } = createRequire(import.meta.url);
  try {
    return ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((file) => resolve(`dejavu-fonts-ttf/ttf/${file}`));
  } catch {
    return undefined;
  }
}

/** The files that `saveChart` wrote. */
export interface SavedChart {
  readonly svg: string;
  readonly png: string;
}

/**
 * Draws a chart into `<path>.svg` and `<path>.png`, each replaced atomically. Without a font the SVG alone is
 * left.
 */
export async function saveChart(path: string, spec: TopLevelSpec): Promise<SavedChart> {
  const svg = await renderSvg(spec);
  writeFileAtomic(`${path}.svg`, svg);
  writeFileAtomic(`${path}.png`, await renderPng(svg));
  return { svg: `${path}.svg`, png: `${path}.png` };
}
