import { sqa } from "../defenses/index.js";
import type { Architecture, Defense } from "../models/index.js";
import type { TrainConfigInput } from "../training/index.js";
import type { Row } from "./accuracy/row.js";
import { paperName } from "./expected.js";

/** Network that the paper compares, as far as it does not depend on the architecture. */
interface Contender {
  readonly key: string;
  readonly title: string;
  readonly defenses: readonly Defense[];
}

/** The two networks that the paper compares: alike but for SQA. */
const contenders = {
  full: { key: "full", title: "full precision", defenses: [] },
  sqa: { key: "sqa", title: "SQA", defenses: [sqa()] },
} as const satisfies Record<string, Contender>;

/** Numbers of seeds: those in full precision may be fewer. */
interface Seeds {
  readonly seeds: number;
  readonly fullSeeds?: number | undefined;
}

/** Rows of both contenders on an architecture, trained alike: in full precision, and with SQA. */
export function contenderRows(
  model: Architecture,
  train: Omit<TrainConfigInput, "model" | "defenses" | "seed">,
  { seeds, fullSeeds = seeds }: Seeds,
): [full: Row, sqa: Row] {
  const row = ({ key, title, defenses }: Contender, count: number): Row => ({
    key: `${model}-${key}`,
    title: `${paperName(model)}, ${title}`,
    train: { ...train, model, defenses },
    seeds: count,
  });
  return [row(contenders.full, fullSeeds), row(contenders.sqa, seeds)];
}

/** Row of the same runs, asked without the noise of their defenses. */
export function noiseFreeRow({ paper: _, ...row }: Row): Row {
  return {
    ...row,
    key: `${row.key}-noise-free`,
    title: `${row.title} in training, noise-free`,
    noiseFree: true,
  };
}
