import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { writeFileAtomic } from "../base/index.js";
import {
  type Figure2Network,
  figure1Cells,
  figure1Chart,
  figure1Series,
  figure2Chart,
  figure2Network,
  figure3Chart,
  figure3Network,
  networkKinds,
  overfittingChart,
  type RepresentationOptions,
  representationCells,
  representationOf,
  twinCells,
} from "../paper/index.js";
import { saveChart } from "../report/chart.js";
import { type EpochEvent, RunFolder } from "../training/index.js";
import { followExperiment } from "./experiment-progress.js";
import type { CommandContext } from "./frame/command.js";
import { out } from "./frame/output.js";
import { Progress } from "./frame/progress.js";
import {
  cellsAsAsked,
  hardware,
  type PaperOptions,
  type PaperWork,
  recipeChoice,
  resultName,
  runPaperCells,
  sizesOf,
} from "./paper-options.js";
import { twinOptions } from "./paper-tables.js";

/** Writes a figure as NAME.json, NAME.svg and NAME.png, and names the files to look at. */
async function showFigure(file: string, record: object, chart: Parameters<typeof saveChart>[1]): Promise<void> {
  writeFileAtomic(`${file}.json`, `${JSON.stringify(record, null, 2)}\n`);
  const { svg, png } = await saveChart(file, chart);
  out(`${svg}\n${png}`);
}

/** Figure 1: FGSM accuracy with one layer quantized. */
export const figure1: PaperWork = async (given, context) => {
  const figure = {
    epochs: given.epochs ?? 5,
    seed: 0,
    limit: given.limit ?? null,
    epsilons: [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3],
  };
  const cells = cellsAsAsked(figure1Cells(figure), given);
  const outcomes = await followExperiment(runPaperCells(cells, given, context));
  if (outcomes.length < cells.length) return 0;
  const series = figure1Series(outcomes, figure);
  const record = { options: figure, series, measuredOn: hardware(given.device) };
  await showFigure(join(given.results, "figure1"), record, figure1Chart(series, figure));
  return 0;
};

/** Accuracy under FGSM and PGD against epochs. */
export const overfitting: PaperWork = async (given, context) => {
  const cells = cellsAsAsked(twinCells(twinOptions(given)), given).map((cell) => ({ ...cell, evaluations: [] }));
  const outcomes = await followExperiment(runPaperCells(cells, given, context));
  if (outcomes.length < cells.length) return 0;
  const runs = outcomes.map(({ cell, run }) => ({
    config: cell.config,
    epochs: RunFolder.open(run)
      .events()
      .filter((event): event is EpochEvent => event.type === "epoch"),
  }));
  const record = { runs, measuredOn: hardware(given.device) };
  await showFigure(figureFile("overfitting", given), record, overfittingChart(runs));
  return 0;
};

/** How the networks of Figures 2 and 3 are trained, and how many test images they are shown. */
function representationOptions(given: PaperOptions): RepresentationOptions {
  const { preset, epochs } = sizesOf(given);
  return { network: given.only ?? "small", preset, epochs, images: given.limit ?? 500 };
}

/** Trains what is missing; what each network makes of test images, undefined where it was stopped before. */
async function representations(given: PaperOptions, options: RepresentationOptions, context: CommandContext) {
  const cells = cellsAsAsked(representationCells(options), given);
  const outcomes = await followExperiment(runPaperCells(cells, given, context));
  if (outcomes.length < cells.length) return undefined;
  const { data, device } = given;
  return networkKinds.map(({ kind }, i) => {
    context.signal.throwIfAborted();
    return { kind, found: representationOf(outcomes[i]!.run, { images: options.images, data, device }) };
  });
}

/** A figure's files, without an ending: the paper's recipe and SMALL are not named. */
function figureFile(name: string, given: PaperOptions): string {
  return join(given.results, resultName(name, recipeChoice(given), given.only));
}

/** Figure 2: the penultimate layer by t-SNE. */
export const figure2: PaperWork = async (given, context) => {
  const options = representationOptions(given);
  const found = await representations(given, options, context);
  if (found === undefined) return 0;
  const networks: Figure2Network[] = [];
  for (const { kind, found: representation } of found) {
    using progress = new Progress({ label: `t-SNE, ${kind}` });
    const steps = figure2Network(kind, representation);
    for (let step = steps.next(); ; step = steps.next()) {
      await turn();
      context.signal.throwIfAborted();
      if (step.done) {
        networks.push(step.value);
        break;
      }
      const { iteration: done, iterations: total, divergence } = step.value;
      progress.update({ done, total, metrics: { divergence: divergence.toFixed(3) } });
    }
    progress.finish();
  }
  const record = { options, networks, measuredOn: hardware(given.device) };
  await showFigure(figureFile("figure2", given), record, figure2Chart(networks, options));
  return 0;
};

/** Figure 3: the penultimate layer's activations by class. */
export const figure3: PaperWork = async (given, context) => {
  const options = representationOptions(given);
  const found = await representations(given, options, context);
  if (found === undefined) return 0;
  const networks = found.map(({ kind, found: representation }) => figure3Network(kind, representation));
  const record = { options, networks, measuredOn: hardware(given.device) };
  await showFigure(figureFile("figure3", given), record, figure3Chart(networks, options));
  return 0;
};
