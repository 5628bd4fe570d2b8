import { useMemo } from "preact/hooks";
import type { AuditDetail } from "../../src/server/api.js";
import { apiPath } from "../data/api.js";
import { duration, percent } from "../data/format.js";
import { useLoaded, useStream } from "../data/hooks.js";
import { hrefOf } from "../data/route.js";
import { Chart } from "../parts/chart.js";
import { Facts, Fault, Problems, State } from "../parts/notes.js";

/** An audit as it runs, attack by attack, and its report when it is finished. */
export function AuditView({ run, name }: { readonly run: string; readonly name: string }) {
  const path = apiPath("audits", run, name);
  const { data, error, reload } = useLoaded<AuditDetail>(path);
  const query = new URLSearchParams({ run, audit: name });
  useStream(`/api/stream?${query}`, { audit: reload, jobs: reload, reopened: reload });
  return (
    <>
      <p class="crumbs">
        <a href={hrefOf("audits")}>Audits</a> <a href={hrefOf("runs", run)}>{run}</a>
      </p>
      <h1>{name}</h1>
      <Fault text={error} />
      {data !== undefined && (
        <>
          <AuditHead detail={data} />
          <Problems problems={data.problems} />
          {data.summary.finished && <Report detail={data} path={path} />}
          {(data.trials.length > 0 || !data.summary.finished) && <Progress detail={data} />}
          <Fallen detail={data} />
        </>
      )}
    </>
  );
}

function AuditHead({ detail }: { readonly detail: AuditDetail }) {
  const { summary, images, clean, worst, fallenImages, secondsLeft } = detail;
  const facts = {
    state: <State name={summary.finished ? "finished" : "unfinished"} />,
    ...(summary.finished ? { verdict: summary.verdict } : {}),
    images: String(images),
    clean: percent(clean),
    "worst case": percent(worst),
    "images that fell": String(fallenImages),
    ...(secondsLeft === null ? {} : { "time left, about": duration(secondsLeft) }),
  };
  return <Facts facts={facts} />;
}

function Progress({ detail: { trials, images } }: { readonly detail: AuditDetail }) {
  const curves = useMemo(() => {
    const done = trials.filter(({ worst }) => worst !== null);
    const x = done.map((_, i) => i + 1);
    return [{ name: "worst case so far", x, y: done.map(({ worst }) => worst), color: 1 }];
  }, [trials]);
  return (
    <>
      <Chart title="Worst case over images, attack by attack" curves={curves} percent range={[0, 1]} />
      <h2>Attacks</h2>
      <section class="scroll" tabIndex={0} aria-label="Attacks">
        <table>
          <thead>
            <tr>
              <th scope="col">attack</th>
              <th scope="col">images</th>
              <th scope="col">left correct</th>
              <th scope="col">worst case so far</th>
              <th scope="col">time</th>
            </tr>
          </thead>
          <tbody>
            {trials.map(({ id, label, done, accuracy, worst, seconds }) => (
              <tr key={id}>
                <th scope="row" title={id}>
                  {label}
                </th>
                <td class="number">
                  <progress max={images} value={done} aria-label={`images done of ${label}`} /> {done}
                </td>
                <td class="number">{percent(accuracy)}</td>
                <td class="number">{percent(worst)}</td>
                <td class="number">{duration(done === 0 ? null : seconds)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

/** Images that are shown one by one. */
const shownFallen = 200;

function Fallen({ detail }: { readonly detail: AuditDetail }) {
  const { fallen, fallenImages, summary, pictures } = detail;
  if (fallen.length === 0) return null;
  const shown = fallen.slice(0, shownFallen);
  const pictureOf = (position: number) => `${String(position).padStart(5, "0")}.png`;
  return (
    <section aria-label="Images that fell">
      <h2>Images that fell, and the first attack that felled each</h2>
      {shown.length < fallenImages && <p>{`The first ${shown.length} of ${fallenImages}.`}</p>}
      <ul class="fallen">
        {shown.map(({ position, by }) => (
          <li key={position}>
            {pictures.includes(pictureOf(position)) && (
              <img
                src={apiPath("audits", summary.run, summary.name, "images", pictureOf(position))}
                alt={`adversarial, position ${position}`}
                loading="lazy"
              />
            )}
            <span>{`image ${position}: ${by}`}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Report({ detail, path }: { readonly detail: AuditDetail; readonly path: string }) {
  return (
    <section aria-label="Report">
      <h2>Report</h2>
      {detail.hasPage ? (
        <iframe class="report" title="Report of the audit" src={`${path}/page`} sandbox="" />
      ) : (
        <pre>{JSON.stringify(detail.report?.verdict, null, 2)}</pre>
      )}
    </section>
  );
}
