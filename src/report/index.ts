export { renderBlocks } from "./blocks.js";
export { type PngOptions, renderPng, renderSvg, type SavedChart, saveChart } from "./chart.js";
export { chartTitle } from "./chart-title.js";
export { type HeatPanel, heatPanels } from "./heat-panels.js";
export { escapeHtml, type Html, html, htmlFacts, htmlImage, htmlPage, htmlTable } from "./html.js";
export { grayLevels, imagePng, isDrawable, shownChange } from "./image-png.js";
export {
  type ChartAxis,
  type ChartPoint,
  type ChartSeries,
  type LineChart,
  lineChart,
} from "./line-chart.js";
export { type LinePanel, type LinePanels, linePanels } from "./line-panels.js";
export { CHART_FONT, CHART_THEME, SERIES_COLORS } from "./palette.js";
export {
  type ColorLegend,
  drawImages,
  type PicturePanel,
  type PlacedImage,
  picturePanels,
} from "./picture-panels.js";
export {
  type Alignment,
  interval,
  percent,
  renderTable,
  shareText,
  shownTitles,
  type Table,
  type TableStyle,
  visibleWidth,
} from "./table.js";
export { wrapWords } from "./words.js";
