import { useEffect, useMemo, useState } from "preact/hooks";
import type { RunColumn, RunPage, RunSummary } from "../../src/server/api.js";
import { duration, epochText, percent, short, time } from "../data/format.js";
import { useLoaded, useStream } from "../data/hooks.js";
import { shownOffset } from "../data/pages.js";
import { hrefOf } from "../data/route.js";
import { Fault, State } from "../parts/notes.js";

const pageLength = 50;

/** Columns of the list: name, title, and how a run's value is shown. */
const columns: readonly (readonly [RunColumn, string, (run: RunSummary) => string])[] = [
  ["epoch", "epoch", epochText],
  ["loss", "loss", ({ loss }) => short(loss)],
  ["clean", "clean", ({ clean }) => percent(clean)],
  ["weak", "first attack", ({ weak }) => percent(weak)],
  ["strong", "last attack", ({ strong }) => percent(strong)],
  ["model", "model", ({ model }) => model],
  ["data", "images", ({ data }) => data],
  ["method", "method", ({ method }) => method],
  ["defenses", "defenses", ({ defenses }) => defenses],
  ["seed", "seed", ({ seed }) => String(seed ?? "–")],
  ["seconds", "time", ({ seconds }) => duration(seconds)],
  ["changed", "changed", ({ changed }) => time(changed)],
];

const numeric = new Set<RunColumn>(["epoch", "loss", "clean", "weak", "strong", "seed", "seconds"]);

interface Order {
  readonly sort: RunColumn;
  readonly descending: boolean;
}

/** Value that follows another once that has rested for a moment. */
function useRested<T>(value: T, milliseconds = 200): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return rested;
}

/** The list of runs. */
export function RunsView() {
  const [filter, setFilter] = useState("");
  const [state, setState] = useState("");
  const [order, setOrder] = useState<Order>({ sort: "changed", descending: true });
  const [offset, setOffset] = useState(0);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const rested = useRested(filter);
  const path = useMemo(() => {
    const query = { filter: rested, state, sort: order.sort, descending: String(order.descending) };
    const page = { offset: String(offset), limit: String(pageLength) };
    return `/api/runs?${new URLSearchParams({ ...query, ...page })}`;
  }, [rested, state, order, offset]);
  const { data, error, reload } = useLoaded<RunPage>(path);
  // While the next page is on its way the last one stays.
  const [shown, setShown] = useState<RunPage>();
  useEffect(() => {
    if (data === undefined) return;
    setShown(data);
    setOffset((asked) => shownOffset(asked, data.matching, pageLength));
  }, [data]);
  useStream("/api/stream", { runs: reload, reopened: reload });
  const choose = (name: string, isChosen: boolean) => {
    const next = new Set(chosen);
    if (isChosen) next.add(name);
    else next.delete(name);
    setChosen(next);
  };
  const compare = `#/compare?${new URLSearchParams([...chosen].map((name) => ["run", name]))}`;
  return (
    <>
      <h1>Runs</h1>
      <form class="bar" onSubmit={(event) => event.preventDefault()}>
        <label>
          Filter
          <input
            type="search"
            value={filter}
            placeholder="words, such as sqa mnist"
            onInput={(event) => {
              setFilter(event.currentTarget.value);
              setOffset(0);
            }}
          />
        </label>
        <label>
          State
          <select
            value={state}
            onChange={(event) => {
              setState(event.currentTarget.value);
              setOffset(0);
            }}
          >
            <option value="">any</option>
            <option value="running">running</option>
            <option value="finished">finished</option>
            <option value="stopped">stopped</option>
            <option value="damaged">damaged</option>
            <option value="alarm">with alarms</option>
          </select>
        </label>
        {chosen.size >= 2 ? (
          <a class="button" href={compare}>{`Compare ${chosen.size} runs`}</a>
        ) : (
          <span class="hint">choose two runs or more to compare them</span>
        )}
        <a class="button" href={hrefOf("work")}>
          New training
        </a>
      </form>
      <Fault text={error} />
      {shown !== undefined && (
        <>
          <RunTable runs={shown.runs} {...{ order, setOrder, chosen, choose }} />
          <Pages total={shown.matching} all={shown.total} offset={offset} go={setOffset} />
        </>
      )}
    </>
  );
}

interface TableProps {
  readonly runs: readonly RunSummary[];
  readonly order: Order;
  setOrder(order: Order): void;
  readonly chosen: ReadonlySet<string>;
  choose(name: string, isChosen: boolean): void;
}

function RunTable({ runs, order, setOrder, chosen, choose }: TableProps) {
  const head = (column: RunColumn, title: string) => {
    const isSorted = order.sort === column;
    const sorted = order.descending ? "descending" : "ascending";
    return (
      <th key={column} scope="col" aria-sort={isSorted ? sorted : "none"}>
        <button
          type="button"
          class="sort"
          onClick={() => setOrder({ sort: column, descending: isSorted ? !order.descending : true })}
        >
          {title}
          <span aria-hidden="true">{isSorted ? (order.descending ? " ↓" : " ↑") : ""}</span>
        </button>
      </th>
    );
  };
  return (
    <section class="scroll" tabIndex={0} aria-label="Runs">
      <table>
        <thead>
          <tr>
            <th scope="col">
              <span class="unseen">compare</span>
            </th>
            {head("name", "run")}
            {head("state", "state")}
            {head("alarms", "alarms")}
            {columns.map(([column, title]) => head(column, title))}
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.name}>
              <td>
                <input
                  type="checkbox"
                  aria-label={`compare ${run.name}`}
                  checked={chosen.has(run.name)}
                  onChange={(event) => choose(run.name, event.currentTarget.checked)}
                />
              </td>
              <th scope="row">
                <a href={hrefOf("runs", run.name)}>{run.name}</a>
                {run.problem !== undefined && <span class="problem">{run.problem}</span>}
              </th>
              <td>
                <State name={run.state} />
              </td>
              <td class={run.alarms.length > 0 ? "alarm" : ""}>{run.alarms.join(", ")}</td>
              {columns.map(([column, , show]) => (
                <td
                  key={column}
                  class={numeric.has(column) ? "number" : "text"}
                  title={numeric.has(column) ? undefined : show(run)}
                >
                  {show(run)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface PagesProps {
  readonly total: number;
  readonly all: number;
  readonly offset: number;
  go(offset: number): void;
}

function Pages({ total, all, offset, go }: PagesProps) {
  const last = Math.min(offset + pageLength, total);
  return (
    <p class="bar">
      <span role="status">
        {total === 0 ? `none of ${all} runs` : `${offset + 1} to ${last} of ${total}`}
        {total > 0 && total < all ? ` (${all} in all)` : ""}
      </span>
      <button type="button" disabled={offset === 0} onClick={() => go(Math.max(0, offset - pageLength))}>
        Before
      </button>
      <button type="button" disabled={last >= total} onClick={() => go(offset + pageLength)}>
        Next
      </button>
    </p>
  );
}
