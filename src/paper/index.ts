export { type AtOnceOptions, runCellsAtOnce } from "./cells-at-once.js";
export { demoCells, demoNote, renderDemo } from "./demo.js";
export {
  type Cell,
  type CellOutcome,
  type EvaluationPlan,
  type ExperimentEvent,
  evaluateRun,
  inPrecision,
  runCells,
} from "./experiment.js";
export { type Figure1Options, figure1Cells, figure1Chart, figure1Series } from "./figure1.js";
export { type Figure2Network, figure2Chart, figure2Network } from "./figure2.js";
export { type Figure3Network, figure3Chart, figure3Network } from "./figure3.js";
export { networkKinds } from "./network-kinds.js";
export { type OverfittingRun, overfittingChart } from "./overfitting.js";
export type { RecipeName } from "./recipe.js";
export {
  type Representation,
  type RepresentationOptions,
  representationCells,
  representationOf,
} from "./representations.js";
export {
  renderSpeed,
  type SpeedOptions,
  type SpeedRow,
  speedCells,
  speedMeans,
  speedNotes,
  speedRows,
} from "./speed.js";
export { spreadText } from "./statistics.js";
export {
  renderTable1,
  type Table1Options,
  type Table1Row,
  table1Cells,
  table1Columns,
  table1Notes,
  table1Rows,
} from "./table1.js";
export {
  renderTable2,
  type Table2Options,
  table2Cells,
  table2Columns,
  table2Notes,
  table2Rows,
  table2Setting,
} from "./table2.js";
export {
  measureTable4,
  renderTable4,
  type Table4,
  type Table4Options,
  type Table4Row,
  table4Notes,
  table4Rows,
  table4Setting,
} from "./table4.js";
export { renderTwin, type TwinOptions, twinCells, twinColumns, twinNotes, twinRows } from "./twin.js";
