import type { AuditSummary } from "../../src/server/api.js";
import { time } from "../data/format.js";
import { useLoaded, useStream } from "../data/hooks.js";
import { hrefOf } from "../data/route.js";
import { Fault, State } from "../parts/notes.js";

/** Every audit of the runs, the latest first. */
export function AuditsView() {
  const { data, error, reload } = useLoaded<AuditSummary[]>("/api/audits");
  useStream("/api/stream", { runs: reload, jobs: reload, reopened: reload });
  return (
    <>
      <h1>Audits</h1>
      <Fault text={error} />
      {data?.length === 0 && <p>No run has been audited yet. A finished run's view has a button for it.</p>}
      {data !== undefined && data.length > 0 && (
        <section class="scroll" tabIndex={0} aria-label="Audits">
          <table>
            <thead>
              <tr>
                <th scope="col">audit</th>
                <th scope="col">run</th>
                <th scope="col">state</th>
                <th scope="col">verdict</th>
                <th scope="col">changed</th>
              </tr>
            </thead>
            <tbody>
              {data.map(({ run, name, finished, verdict, changed }) => (
                <tr key={`${run}/${name}`}>
                  <th scope="row">
                    <a href={hrefOf("audits", run, name)}>{name}</a>
                  </th>
                  <td>
                    <a href={hrefOf("runs", run)}>{run}</a>
                  </td>
                  <td>
                    <State name={finished ? "finished" : "unfinished"} />
                  </td>
                  <td>{verdict}</td>
                  <td>{time(changed)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}
