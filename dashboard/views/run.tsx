import { useEffect, useMemo, useState } from "preact/hooks";
import type { Job, RunDetail } from "../../src/server/api.js";
import type { RunEvent, RunStep } from "../../src/server/runs/events.js";
import { apiPath, post } from "../data/api.js";
import { accuracyCurves, lossCurves, merged, rateCurve } from "../data/curves.js";
import { duration, epochText, percent } from "../data/format.js";
import { useLoaded, useStream } from "../data/hooks.js";
import { hrefOf } from "../data/route.js";
import { AttackedImages } from "../parts/attacked-images.js";
import { Chart } from "../parts/chart.js";
import { Facts, Fault, Problems, State, valueText } from "../parts/notes.js";

interface Logged {
  readonly events: readonly RunEvent[];
  readonly steps: readonly RunStep[];
}

const nothing: Logged = { events: [], steps: [] };
const eventKey = (event: RunEvent) => `${event.type} ${event.step} ${"kind" in event ? event.kind : ""}`;
const stepKey = ({ step }: RunStep) => String(step);

/** Loads what a run has logged, then follows it. */
function useRun(name: string) {
  const { data, error, reload } = useLoaded<RunDetail>(apiPath("runs", name));
  const [logged, setLogged] = useState<Logged>(nothing);
  const [cursor, setCursor] = useState<string>();
  useEffect(() => {
    if (data === undefined) return;
    setLogged({ events: merged(data.events, data.alarms, eventKey), steps: data.steps });
    setCursor((known) => known ?? data.cursor);
  }, [data]);
  const query = new URLSearchParams({ run: name, after: `~~${cursor}` });
  useStream(cursor === undefined ? undefined : `/api/stream?${query}`, {
    logged(text) {
      const more = JSON.parse(text) as Logged;
      setLogged((known) => ({
        events: merged(known.events, more.events, eventKey),
        steps: merged(known.steps, more.steps, stepKey),
      }));
    },
    anew: reload,
    runs: reload,
    jobs: reload,
    reopened: reload,
  });
  return { data, error, logged };
}

/** A run: its curves as they come, its alarms, its configuration. */
export function RunView({ name }: { readonly name: string }) {
  const { data, error, logged } = useRun(name);
  const { events, steps } = logged;
  const accuracies = useMemo(() => accuracyCurves(events), [events]);
  const losses = useMemo(() => lossCurves(events, steps), [events, steps]);
  const rates = useMemo(() => [rateCurve(steps)], [steps]);
  const alarms = useMemo(() => events.filter((event) => event.type === "alarm"), [events]);
  const marks = useMemo(() => alarms.map(({ step, kind }) => ({ at: step, text: kind })), [alarms]);
  return (
    <>
      <p class="crumbs">
        <a href={hrefOf("runs")}>Runs</a>
      </p>
      <h1>{name}</h1>
      <Fault text={error} />
      {data !== undefined && (
        <>
          <RunHead detail={data} />
          <Problems problems={[...(data.summary.problem ? [data.summary.problem] : []), ...data.problems]} />
          {alarms.length > 0 && (
            <section aria-label="Alarms">
              <ul class="alarms">
                {alarms.map((alarm) => (
                  <li key={eventKey(alarm)}>
                    <b>{alarm.kind}</b>
                    {` in epoch ${alarm.epoch}, step ${alarm.step}: ${alarm.message}`}
                  </li>
                ))}
              </ul>
            </section>
          )}
          <div class="charts">
            <Chart
              title="Accuracy on validation images"
              curves={accuracies}
              marks={marks}
              percent
              range={[0, 1]}
            />
            <Chart title="Training loss" curves={losses} marks={marks} />
            {steps.length > 0 && <Chart title="Learning rate" curves={rates} />}
          </div>
          {data.images !== null && <AttackedImages run={name} shown={data.images} />}
          <Audits detail={data} />
          <Configuration config={data.config} environment={data.environment} />
        </>
      )}
    </>
  );
}

function RunHead({ detail: { summary } }: { readonly detail: RunDetail }) {
  const { state, clean, strong, strongAttack, seconds } = summary;
  const facts = {
    state: <State name={state} />,
    epoch: epochText(summary),
    clean: percent(clean),
    ...(strongAttack === "" ? {} : { [strongAttack]: percent(strong) }),
    time: duration(seconds),
  };
  return (
    <>
      <Facts facts={facts} />
      <Actions name={summary.name} state={state} pid={summary.pid} />
    </>
  );
}

/** Buttons for all that can be done with a run. */
function Actions({ name, state, pid }: Pick<RunDetail["summary"], "name" | "state" | "pid">) {
  const { data: jobs, reload } = useLoaded<Job[]>("/api/jobs");
  const [error, setError] = useState<string>();
  useEffect(reload, [state, reload]);
  const attempt = (work: Promise<unknown>) =>
    work.then(
      () => {
        setError(undefined);
        reload();
      },
      (cause: Error) => setError(cause.message),
    );
  const own = (jobs ?? []).find((job) => job.state === "running" && job.pid === pid);
  return (
    <>
      <p class="bar">
        {state === "stopped" && (
          <button type="button" onClick={() => attempt(post("/api/jobs", { kind: "resume", run: name }))}>
            Go on
          </button>
        )}
        {state === "running" && own !== undefined && (
          <button type="button" onClick={() => attempt(post(apiPath("jobs", own.id, "stop"), {}))}>
            Stop
          </button>
        )}
        {state === "finished" && (
          <a class="button" href={`${hrefOf("work")}?${new URLSearchParams({ run: name })}`}>
            Audit
          </a>
        )}
        {(state === "finished" || state === "stopped") && (
          <a class="button" href={`${hrefOf("playground")}?${new URLSearchParams({ run: name })}`}>
            Attack an image
          </a>
        )}
      </p>
      <Fault text={error} />
    </>
  );
}

function Audits({ detail: { audits } }: { readonly detail: RunDetail }) {
  if (audits.length === 0) return null;
  return (
    <section aria-label="Audits">
      <h2>Audits</h2>
      <ul>
        {audits.map(({ run, name, finished, verdict }) => (
          <li key={name}>
            <a href={hrefOf("audits", run, name)}>{name}</a>
            {finished ? `: ${verdict}` : ": not finished"}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Configuration({ config, environment }: Pick<RunDetail, "config" | "environment">) {
  const texts = (values: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, valueText(value)]));
  return (
    <section aria-label="Configuration">
      <h2>Configuration</h2>
      <Facts facts={texts(config)} />
      <h2>Environment</h2>
      <Facts facts={texts(environment)} />
    </section>
  );
}
