/** Methods of 95 % intervals, as reports name them. */
export const wilsonMethod = "Wilson score";
export const bootstrapMethod =
  "percentile bootstrap over images, 1,000 resamples; Wilson score where it is wider and answers nearly " +
  "all agree";

/** Method of the interval of a model's accuracy. */
export const methodFor = (randomized: boolean) => (randomized ? bootstrapMethod : wilsonMethod);
