/** Methods of 95 % intervals, as reports name them. */
export const wilsonMethod = "Wilson score";
const bootstrapMethod =
  "percentile bootstrap over images, 1,000 resamples; Wilson score where it is wider and answers nearly " +
  "all agree";

/** Method of the interval of a model's accuracy. */
export const methodFor = (randomized: boolean) => (randomized ? bootstrapMethod : wilsonMethod);

/** Method of the interval of a figure that a criterion may ask for; `perClass` is that of classes. */
export function methodOfFigure<PerClass>(figure: string, randomized: boolean, perClass: PerClass) {
  if (figure === "per-class worst") return perClass;
  return figure === "every-draw" || figure === "fixed-seed" ? wilsonMethod : methodFor(randomized);
}
