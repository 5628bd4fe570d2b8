/**
 * Addresses on other hosts that a browser loads by itself when it shows a page or applies a style sheet: scripts,
 * styles, fonts, images, frames. Links that a reader follows are none of them.
 *
 * @param {string} text of an HTML page or a style sheet
 * @returns {string[]}
 */
export function hostsAsked(text) {
  const loads = [
    /<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\ssrc(?:set)?="((?:https?:)?\/\/[^"]*)"/gi,
    /<link\b(?![^>]*\srel="canonical")[^>]*\shref="((?:https?:)?\/\/[^"]*)"/gi,
    /@import\s+(?:url\()?["']?((?:https?:)?\/\/[^"')\s]*)/gi,
    /url\(\s*["']?((?:https?:)?\/\/[^"')\s]*)/gi,
  ];
  return loads.flatMap((pattern) => [...text.matchAll(pattern)].map(([, url]) => url ?? ""));
}
