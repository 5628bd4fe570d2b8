/**
 * Offset of the page that is shown of a list: the last page's where the list has become too short for the one
 * that was asked for.
 *
 * @param length entries of a page
 */
export function shownOffset(asked: number, total: number, length: number): number {
  return asked < total ? asked : Math.max(0, Math.ceil(total / length) - 1) * length;
}
