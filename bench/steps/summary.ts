import type { NetworkName } from "../shared/networks.js";
import { ratioOf, type Spread, spreadOf } from "../shared/statistics.js";
import { operationsOf } from "./arithmetic.js";
import { type Step, steps } from "./contenders.js";
import type { Measured, MeasuredNetwork } from "./measure.js";

/** A contender's line: seconds a step over the rounds, bytes, and the share of its precision's peak. */
export interface ContenderSummary {
  readonly side: string;
  readonly step: Step;
  readonly form: string;
  /** Undefined for one that failed. */
  readonly seconds?: Spread;
  readonly peakShare?: number;
  readonly memory?: number;
  readonly failed?: string;
  readonly samples: readonly number[];
}

/** Two contenders' ratio, taken round by round. */
export interface RatioSummary {
  readonly name: string;
  readonly ratio: Spread;
}

export interface NetworkSummary {
  readonly network: NetworkName;
  readonly contenders: readonly ContenderSummary[];
  readonly ratios: readonly RatioSummary[];
}

function summarizeContender(
  network: NetworkName,
  batch: number,
  peaks: MeasuredNetwork["matrices"]["peaks"],
  { contender, samples, memory, failed }: Measured,
): ContenderSummary {
  const { side, step, form, precision } = contender;
  if (failed !== undefined || samples.length === 0)
    return { side, step, form, failed: failed ?? "no rounds", samples };
  const seconds = spreadOf(samples);
  // Emulated arithmetic in bfloat16 is arithmetic in float32: the machine's peak is the better of the two.
  const known = precision === "float32" ? [peaks.float32] : [peaks.float32, peaks.bfloat16];
  const peak = Math.max(...known.map((value) => value ?? 0));
  const share = peak === 0 ? {} : { peakShare: operationsOf(network, step, batch) / seconds.median / peak };
  return { side, step, form, seconds, ...share, memory, samples };
}

/** Of the contenders that were measured the one with the least median. */
function fastest(contenders: readonly ContenderSummary[]): ContenderSummary | undefined {
  const measured = contenders.filter(({ seconds }) => seconds !== undefined);
  return measured.sort((a, b) => a.seconds!.median - b.seconds!.median)[0];
}

/** Medians, shares of the peak, and the ratios that the project goes by. */
export function summarize(
  network: NetworkName,
  batch: number,
  {
    contenders: measured,
    matrices: { peaks },
  }: Pick<MeasuredNetwork, "contenders"> & {
    matrices: Pick<MeasuredNetwork["matrices"], "peaks">;
  },
): NetworkSummary {
  const contenders = measured.map((one) => summarizeContender(network, batch, peaks, one));
  const best = (side: string, step: Step, form?: string) =>
    fastest(
      contenders.filter((one) => one.side === side && one.step === step && (form ?? one.form) === one.form),
    );
  const ratios: RatioSummary[] = [];
  const add = (name: string, a: ContenderSummary | undefined, b: ContenderSummary | undefined) => {
    if (a !== undefined && b !== undefined) ratios.push({ name, ratio: ratioOf(a.samples, b.samples) });
  };
  for (const step of steps) {
    const theirs = best("PyTorch", step);
    const mine = best("ours", step);
    add(`${step}: ours (${mine?.form}), times as fast as PyTorch's fastest (${theirs?.form})`, theirs, mine);
  }
  for (const form of new Set(contenders.filter(({ side }) => side === "ours").map((one) => one.form))) {
    add(`ours, ${form}: fgsm + sqa over fgsm`, best("ours", "fgsm + sqa", form), best("ours", "fgsm", form));
    add(`ours, ${form}: fgsm over standard`, best("ours", "fgsm", form), best("ours", "standard", form));
  }
  return { network, contenders, ratios };
}
