export { demoCells, demoNote, renderDemo } from "./demo.js";
export {
  type Cell,
  type CellOutcome,
  type EvaluationPlan,
  type ExperimentEvent,
  evaluateRun,
  runCells,
} from "./experiment.js";
export { type Figure1Options, figure1Cells, figure1Chart, figure1Series } from "./figure1.js";
export { type OverfittingRun, overfittingChart } from "./overfitting.js";
export {
  renderTable1,
  type Table1Options,
  type Table1Row,
  table1Cells,
  table1Columns,
  table1Notes,
  table1Rows,
} from "./table1.js";
