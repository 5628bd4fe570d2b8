import {
  type Attack,
  apgd,
  autoattack,
  backward,
  expectation,
  jacobianScaling,
  lsPga,
  pgd,
  worstCase,
} from "../../attacks/index.js";
import {
  binarizedNetwork,
  deterministicQuantization,
  randomResizePad,
  sap,
  sqa,
  thermometer,
} from "../../defenses/index.js";
import type { Architecture, Defense } from "../../models/index.js";
import {
  ensembleAdversarial,
  fgsm,
  type MethodText,
  pgd as pgdTraining,
  type TrainConfigInput,
} from "../../training/index.js";
import type { Row } from "../accuracy/row.js";
import { expected } from "../expected.js";
import { type Purifiers, purifiedEntries, purifiedKeys } from "./table3-purified.js";

/** Strength of attacks on every row. */
export interface Strength {
  readonly epsilon: number;
  readonly stepSize: number;
  readonly steps: number;
  readonly draws: number;
  readonly queries: number;
}

/** Defense with its training and the attack that is made for it. */
interface Entry {
  readonly key: string;
  readonly title: string;
  readonly defenses: readonly Defense[];
  readonly method: TrainConfigInput["method"];
  /** Attack that is made for it, of PGD; PGD with restarts where left out. */
  adaptive?(attack: Attack, draws: number): Attack;
  /** Attacks of its own in place of those of columns, by column. */
  readonly attacks?: Row["attacks"];
  readonly skips?: Row["skips"];
  /** The paper's numbers, where they are of other columns than its own. */
  readonly paper?: Row["paper"];
  /** Options of training that differ. */
  readonly train?: Partial<TrainConfigInput>;
  /** Takes the schedule of strong attacks, for this many times the table's epochs. */
  readonly patient?: number;
  /** Takes the model with normalized layers. */
  readonly normalized?: boolean;
}

const overDraws = (attack: Attack, draws: number) => expectation(attack, { draws });

/** Choices that the defenses depend on. */
interface Given extends Pick<Strength, "epsilon" | "steps"> {
  /** Trained models of ensemble adversarial training, whose row is left out without any. */
  readonly sources: readonly string[];
}

/** Key of the row of ensemble adversarial training. */
export const ensembleKey = "ensemble-adversarial";

/** The table's defenses. Those that their papers give an undefended training have one here. */
function entries({ epsilon, steps, sources }: Given): readonly Entry[] {
  const standard = "standard" satisfies MethodText;
  const strong = pgdTraining({ epsilon, steps: 7, stepSize: epsilon / 4 });
  const fast = fgsm({ epsilon });
  const through = { through: "straight-through" };
  const onLevels = (attack: Attack) => worstCase([attack, lsPga({ epsilon, steps })]);
  const coded = () => onLevels(apgd({ epsilon, steps, restarts: 2 }));
  return [
    { key: "none", title: "no defense", defenses: [], method: standard },
    {
      key: "sap",
      title: "SAP",
      defenses: [sap()],
      method: standard,
      adaptive: (attack, draws) => expectation(backward(attack, through), { draws }),
    },
    {
      key: "thermometer-clean",
      title: "thermometer, clean images",
      defenses: [thermometer({ gradient: "none" })],
      method: standard,
      adaptive: (attack) => onLevels(backward(attack, through)),
    },
    {
      key: "thermometer",
      title: "thermometer, PGD training",
      defenses: [thermometer()],
      method: strong,
      adaptive: coded,
      // A code's bits are told apart by weights of their own, so that it learns sooner.
      patient: 0.5,
    },
    {
      key: "thermometer-ls-pga",
      title: "thermometer, LS-PGA training",
      defenses: [thermometer()],
      method: lsPga({ epsilon, labels: "predicted" }),
      adaptive: coded,
      // A code's bits are told apart by weights of their own, so that it learns sooner.
      patient: 0.5,
    },
    {
      key: "random-resize-pad",
      title: "random resizing and padding",
      defenses: [randomResizePad()],
      method: standard,
      adaptive: overDraws,
    },
    {
      key: "binarized-network",
      title: "binarized network",
      defenses: [binarizedNetwork()],
      method: standard,
      adaptive: (attack) => jacobianScaling(attack),
      train: { optimizer: "adam", schedule: "one-cycle(peak=0.01)" },
      // Signs take gradients from sums between -1 and 1 alone: each layer's sums must be normalized.
      normalized: true,
    },
    {
      key: "deterministic-quantization",
      title: "deterministic quantization, FGSM training",
      defenses: [deterministicQuantization()],
      method: fast,
      adaptive: (attack) => backward(attack, { through: "staircase" }),
      patient: 1.5,
    },
    { key: "pgd-training", title: "PGD training", defenses: [], method: strong, patient: 1.5 },
    {
      key: ensembleKey,
      title: "ensemble adversarial training",
      defenses: [],
      method: ensembleAdversarial({ epsilon, sources: [...sources] }),
    },
    {
      key: "sqa",
      title: "SQA, FGSM training",
      defenses: [sqa()],
      method: fast,
      adaptive: overDraws,
    },
  ];
}

/** AutoAttack by a row's defenses: the published suite, or the one for randomized classifiers. */
function suite(isRandom: boolean, { epsilon, steps, queries, draws }: Strength): Attack {
  const version = isRandom ? "randomized" : "standard";
  return autoattack({ epsilon, version, steps, queries, draws, targets: 9 });
}

/** Keys of all rows, in their order. */
export const table3Keys = [
  ...entries({ epsilon: 0.3, steps: 1, sources: ["none"] }).map(({ key }) => key),
  ...purifiedKeys,
];

/** Training of all rows, but for their defenses. */
interface Setting {
  readonly model: Architecture;
  /** Model with normalized layers, for signs as activations. */
  readonly normalized: Architecture;
  readonly train: Omit<TrainConfigInput, "model" | "defenses" | "seed" | "method">;
  /** Schedule by which training on strong attacks learns at all; the others' where left out. */
  readonly patient?: Partial<TrainConfigInput> | undefined;
  readonly sources: readonly string[];
  readonly seeds: number;
  readonly strength: Strength;
  /** Keys of the rows that are made; all where left out. */
  readonly keys?: readonly string[] | undefined;
  /** Trained parts of rows, which are left out without them, and their attack beside PGD. */
  readonly purifiers: Purifiers;
  /** True where the paper's numbers are of this data set. */
  readonly published: boolean;
}

/** Training of a row that takes the schedule of strong attacks, as far as it differs. */
function patientTraining({ patient: times }: Entry, { patient, train }: Setting): Partial<TrainConfigInput> {
  if (times === undefined || patient === undefined) return {};
  return { ...patient, epochs: Math.max(1, Math.round(times * Number(train.epochs))) };
}

/** Rows of Table 3. */
export function table3Rows(setting: Setting): Row[] {
  const { model, normalized, train, seeds, strength, published, keys, sources, purifiers } = setting;
  const { epsilon, stepSize, steps, draws } = strength;
  if (sources.length === 0 && keys?.includes(ensembleKey) === true) {
    throw new RangeError(`table3: row ${ensembleKey} needs trained models: give run folders as sources`);
  }
  const plain = pgd({ epsilon, stepSize, steps });
  const all: readonly Entry[] = [
    ...entries({ epsilon, steps, sources: sources.length === 0 ? ["none"] : sources }),
    ...purifiedEntries(purifiers, plain, epsilon, keys),
  ];
  const chosen = all
    .filter(({ key }) => keys?.includes(key) ?? true)
    .filter(({ key }) => key !== ensembleKey || sources.length > 0);
  return chosen.map((entry): Row => {
    const { key, title, defenses, method, adaptive } = entry;
    const isRandom = defenses.some(({ randomized }) => randomized);
    return {
      key,
      title,
      train: {
        ...train,
        ...patientTraining(entry, setting),
        ...entry.train,
        method,
        defenses,
        model: entry.normalized ? normalized : model,
      },
      seeds,
      attacks: {
        ...entry.attacks,
        adaptive: adaptive?.(plain, draws) ?? apgd({ epsilon, steps, restarts: 2 }),
        autoattack: suite(isRandom, strength),
      },
      ...(entry.skips === undefined ? {} : { skips: entry.skips }),
      ...(published ? { paper: entry.paper ?? paperOf(key) } : {}),
    };
  });
}

/** The paper's numbers of a row, by column; undefined where it has none. */
function paperOf(key: string): Row["paper"] {
  const rows: Readonly<Record<string, { readonly "pgd-8"?: number; readonly "cw-8"?: number }>> =
    expected.table3.rows;
  const { "pgd-8": attacked, "cw-8": cw } = rows[key] ?? {};
  if (attacked === undefined && cw === undefined) return undefined;
  return {
    ...(attacked === undefined ? {} : { pgd: attacked }),
    ...(cw === undefined ? {} : { cw }),
  };
}
