import { useState } from "preact/hooks";
import type { ShownImages } from "../../src/server/api.js";
import { apiPath } from "../data/api.js";
import { radius } from "../data/format.js";
import { wrongText } from "../data/outcome.js";

/** Images of a run's latest epoch under attack, with label and prediction; a click enlarges one. */
export function AttackedImages({ run, shown }: { readonly run: string; readonly shown: ShownImages }) {
  const { epoch, attack, images } = shown;
  const [large, setLarge] = useState<number>();
  return (
    <section aria-label="Images under attack">
      <h2>{`Images under attack after epoch ${epoch}`}</h2>
      <p>
        {wrongText(images)}
        <code>{attack}</code>
        {". Each is shown clean, with its change (gray: none), and under attack; a click enlarges it."}
      </p>
      <ul class="attacked">
        {images.map(({ file, position, label, predicted, largestChange }) => (
          <li key={position} class={large === position ? "large" : ""}>
            <button
              type="button"
              aria-pressed={large === position}
              aria-label={`enlarge image ${position}`}
              onClick={() => setLarge(large === position ? undefined : position)}
            >
              <img
                src={apiPath("runs", run, "images", file)}
                alt={`position ${position}: clean, its change, and under attack`}
                loading="lazy"
              />
            </button>
            <b class={label === predicted ? "" : "wrong"}>{`${label} → ${predicted}`}</b>
            <small>{`image ${position}, at most ${radius(largestChange)}`}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}
