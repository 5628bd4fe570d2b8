/** Letters by which charts name the runs that are compared: as many as the server compares at most. */
export const letters = "ABCDEFGH";

/** Names the chosen runs that a comparison leaves out, and why; undefined where it has all. */
export function leftOutText(chosen: readonly string[], shown: readonly string[]): string | undefined {
  const left = [...new Set(chosen)].filter((name) => !shown.includes(name));
  if (left.length === 0) return undefined;
  const why = `at most ${letters.length} runs are compared, and a run may be gone`;
  return `Not compared: ${left.join(", ")} (${why}).`;
}
