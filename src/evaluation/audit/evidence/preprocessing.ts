import type { ChannelStatistics, Model } from "../../../models/index.js";
import { Normalize } from "../../../nn/index.js";
import type { AuditJson } from "../report/schema/audit.js";

type Preprocessing = AuditJson["evidence"]["model"]["preprocessing"];

/** A normalization in words. */
const normalizes = ({ mean, std }: ChannelStatistics) =>
  `normalize: mean ${mean.join(", ")}, std ${std.join(", ")}`;

/** Changes of pixels inside a model: those before its layers, then those by an exported graph's operators. */
export function preprocessingOf(model: Model | undefined): Preprocessing {
  if (model === undefined) {
    return { where: "unknown: a classifier of the user's own takes pixels in [0, 1]", steps: [] };
  }
  const { module, graph } = model;
  const before = module.inputTransforms.map((one) =>
    one instanceof Normalize ? normalizes(one) : one.constructor.name,
  );
  const { operators, statistics } = graph?.normalization ?? {};
  const by = `by its own ${operators?.join(", ")}`;
  const own =
    statistics === undefined
      ? `normalize ${by}: mean and deviation of each channel not found`
      : `${normalizes(statistics)}, ${by}`;
  return {
    where: "inside the model, behind the attacked pixels in [0, 1]",
    steps: [...before, ...(operators === undefined ? [] : [own])],
  };
}

/** Deviations that a model divides channels by, all normalizations together; undefined where unknown. */
export function deviationsOf(model: Model | undefined): readonly number[] | undefined {
  const before =
    model?.module.inputTransforms.filter((one): one is Normalize => one instanceof Normalize) ?? [];
  const own = model?.graph?.normalization;
  if (own !== undefined && own.statistics === undefined) return undefined;
  const [first, ...others] = [...before, ...(own?.statistics === undefined ? [] : [own.statistics])];
  return first?.std.map((std, c) => others.reduce((product, one) => product * (one.std[c] ?? 1), std));
}
