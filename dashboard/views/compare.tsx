import { useMemo } from "preact/hooks";
import type { Comparison } from "../../src/server/api.js";
import { leftOutText, letters } from "../data/compared.js";
import { accuracyCurves, lossCurves } from "../data/curves.js";
import { percent, short } from "../data/format.js";
import { useLoaded, useStream } from "../data/hooks.js";
import { hrefOf } from "../data/route.js";
import { Chart } from "../parts/chart.js";
import { Fault, State } from "../parts/notes.js";

/** Several runs: their curves in common charts, and what their configurations differ in. */
export function CompareView({ names }: { readonly names: readonly string[] }) {
  const query = new URLSearchParams(names.map((name) => ["run", name]));
  const { data, error, reload } = useLoaded<Comparison>(`/api/compare?${query}`);
  useStream("/api/stream", { runs: reload, reopened: reload });
  const accuracies = useMemo(
    () =>
      (data?.runs ?? []).flatMap(({ events }, i) => {
        const curves = accuracyCurves(events, `${letters[i]}: `, i);
        return curves.length > 2 ? [curves[0]!, curves.at(-1)!] : curves;
      }),
    [data],
  );
  const losses = useMemo(
    () =>
      (data?.runs ?? []).flatMap(({ events, steps }, i) => lossCurves(events, steps, `${letters[i]}: `, i)),
    [data],
  );
  return (
    <>
      <p class="crumbs">
        <a href={hrefOf("runs")}>Runs</a>
      </p>
      <h1>Comparison</h1>
      <Fault text={error} />
      {data !== undefined && (
        <>
          <LeftOut
            text={leftOutText(
              names,
              data.runs.map(({ name }) => name),
            )}
          />
          <RunsTable runs={data.runs} />
          <div class="charts">
            <Chart
              title="Clean accuracy, and (dashed) under the last validation attack"
              curves={accuracies}
              percent
              range={[0, 1]}
            />
            <Chart title="Training loss of epochs" curves={losses} />
          </div>
          <Differences comparison={data} />
        </>
      )}
    </>
  );
}

function LeftOut({ text }: { readonly text: string | undefined }) {
  return text === undefined ? null : <p role="status">{text}</p>;
}

function RunsTable({ runs }: { readonly runs: Comparison["runs"] }) {
  return (
    <section class="scroll" tabIndex={0} aria-label="Runs compared">
      <table>
        <thead>
          <tr>
            <th scope="col">name here</th>
            <th scope="col">run</th>
            <th scope="col">state</th>
            <th scope="col">loss</th>
            <th scope="col">clean</th>
            <th scope="col">last attack</th>
          </tr>
        </thead>
        <tbody>
          {runs.map(({ name, summary }, i) => (
            <tr key={name}>
              <td>
                <span class={`swatch color-${i}`} aria-hidden="true" /> {letters[i]}
              </td>
              <th scope="row">
                <a href={hrefOf("runs", name)}>{name}</a>
              </th>
              <td>
                <State name={summary.state} />
              </td>
              <td class="number">{short(summary.loss)}</td>
              <td class="number">{percent(summary.clean)}</td>
              <td class="number">{percent(summary.strong)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Differences({ comparison: { runs, differences } }: { readonly comparison: Comparison }) {
  return (
    <>
      <h2>Differences of the configurations</h2>
      {differences.length === 0 ? (
        <p>None.</p>
      ) : (
        <section class="scroll" tabIndex={0} aria-label="Differences">
          <table>
            <thead>
              <tr>
                <th scope="col">option</th>
                {runs.map(({ name }, i) => (
                  <th key={name} scope="col">
                    {letters[i]}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {differences.map(({ option, values }) => (
                <tr key={option}>
                  <th scope="row">{option}</th>
                  {values.map((value, i) => (
                    <td key={runs[i]?.name}>{value ?? "–"}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}
