/** Class of an image, and the class that a model gives it under attack. */
interface Answered {
  readonly label: string;
  readonly predicted: string;
}

/** Sentence up to the attack's name. An image that was wrong without the attack did not fall to it. */
export function wrongText(images: readonly Answered[]): string {
  const wrong = images.filter(({ label, predicted }) => label !== predicted).length;
  return `${wrong} of these ${images.length} validation images are given a wrong class under `;
}

/** Title of an attack on one image: its class, the one under attack, and a word where the attack did less. */
export function outcomeTitle({ label, predicted }: Answered, clean: string): string {
  const title = `${label} → ${predicted}`;
  if (predicted === label) return `${title} (it stands)`;
  return clean === label ? title : `${title} (wrong when clean)`;
}
