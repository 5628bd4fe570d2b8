/** Sentences of a page: its prose, without code, tables, headings and images; an entry of a list is one at least. */
export function sentencesOf(page: string): string[] {
  const prose = page
    .replace(/^```.*?^```/gms, "")
    .replace(/^(?: {4}|\||#|!\[).*$/gm, "")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\*{1,2}/g, "");
  const paragraphs = prose.split(/\n\s*\n|\n(?=- )/).map((text) => text.replace(/\s+/g, " ").trim());
  return paragraphs
    .flatMap((text) => text.split(/(?<=[.:?!])\s+(?=[A-Z`])/))
    .map((text) => text.replace(/^- /, ""))
    .filter((text) => /\w/.test(text));
}

/** Number of words of a text. */
export const wordsIn = (text: string) => text.split(/\s+/).filter((word) => /\w/.test(word)).length;

/** Mean number of words of a page's sentences. */
export function meanSentence(page: string): number {
  const sentences = sentencesOf(page);
  return sentences.reduce((sum, text) => sum + wordsIn(text), 0) / sentences.length;
}
