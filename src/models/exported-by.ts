import type { Architecture } from "./architecture.js";

/**
 * The same model of a user's own, with the file that exports it: a run records both, to ask for them again.
 *
 * @param file path as it was given
 * @param sha256 hash of the file's content
 */
export function exportedBy(architecture: Architecture, file: string, sha256: string): Architecture {
  const { own } = architecture;
  if (own === undefined) return architecture;
  const origin = {
    file,
    sha256,
    get hash() {
      return own.hash;
    },
  };
  return { ...architecture, own: origin };
}
