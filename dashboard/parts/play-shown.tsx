import type { PlayAnswers, PlayResult } from "../../src/server/api.js";
import { duration, percent, radius, short } from "../data/format.js";
import { outcomeTitle } from "../data/outcome.js";
import { Facts } from "./notes.js";
import { Pixels } from "./pixels.js";

/** Perturbation as gray levels: none is middle gray, the largest change black or white. */
function shownChange({ clean, adversarial, linf }: PlayResult): number[] {
  return clean.map((pixel, i) => 0.5 + (linf === 0 ? 0 : (adversarial[i]! - pixel) / (2 * linf)));
}

function mostLikely({ probabilities }: PlayAnswers): number {
  return probabilities.indexOf(Math.max(...probabilities));
}

/** Outcome of an attack on one image. */
export function PlayShown({ result }: { readonly result: PlayResult }) {
  const { shape, clean, adversarial, cleanAnswers, adversarialAnswers, classNames, label, draws } = result;
  const named = (index: number) => classNames[index] ?? String(index);
  const said = (answers: PlayAnswers) => named(mostLikely(answers));
  const answered = { label: named(label), predicted: said(adversarialAnswers) };
  return (
    <section aria-label="Outcome">
      <h2>{outcomeTitle(answered, said(cleanAnswers))}</h2>
      <div class="pictures">
        <Pixels shape={shape} pixels={clean} label={`clean: says ${said(cleanAnswers)}`} />
        <Pixels
          shape={shape}
          pixels={shownChange(result)}
          label={`perturbation, at most ${radius(result.linf)}`}
        />
        <Pixels shape={shape} pixels={adversarial} label={`adversarial: says ${said(adversarialAnswers)}`} />
      </div>
      <Facts
        facts={{
          attack: result.attack,
          "largest change": radius(result.linf),
          "length of the change": short(result.l2),
          draws: String(draws),
          time: duration(result.seconds),
        }}
      />
      <section class="scroll" tabIndex={0} aria-label="Class probabilities">
        <table>
          <caption>
            {draws > 1
              ? `Class probabilities: the mean over ${draws} draws, the middle 90 % of them, and ` +
                "the share of draws that say the class"
              : "Class probabilities"}
          </caption>
          <thead>
            <tr>
              <th scope="col">class</th>
              <th scope="col">clean</th>
              <th scope="col">adversarial</th>
              {draws > 1 && <th scope="col">said, clean</th>}
              {draws > 1 && <th scope="col">said, adversarial</th>}
            </tr>
          </thead>
          <tbody>
            {classNames.map((name, i) => (
              <tr key={name} class={i === label ? "true-class" : ""}>
                <th scope="row">{i === label ? `${name} (label)` : name}</th>
                <Probability answers={cleanAnswers} index={i} spread={draws > 1} />
                <Probability answers={adversarialAnswers} index={i} spread={draws > 1} />
                {draws > 1 && <td class="number">{percent(cleanAnswers.said[i])}</td>}
                {draws > 1 && <td class="number">{percent(adversarialAnswers.said[i])}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

interface ProbabilityProps {
  readonly answers: PlayAnswers;
  readonly index: number;
  readonly spread: boolean;
}

function Probability({ answers, index, spread }: ProbabilityProps) {
  const [mean, low, high] = [answers.probabilities[index]!, answers.low[index]!, answers.high[index]!];
  return (
    <td>
      <svg class="probability" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
        <rect class="mean" x="0" y="2" width={100 * mean} height="8" />
        {spread && <rect class="spread" x={100 * low} y="5" width={100 * (high - low)} height="2" />}
      </svg>
      {spread ? `${percent(mean)} (${percent(low)} to ${percent(high)})` : percent(mean)}
    </td>
  );
}
