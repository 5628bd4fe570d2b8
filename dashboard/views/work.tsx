import { useState } from "preact/hooks";
import type { Job } from "../../src/server/api.js";
import { apiPath, post } from "../data/api.js";
import { time } from "../data/format.js";
import { useLoaded, useStream } from "../data/hooks.js";
import { hrefOf } from "../data/route.js";
import { Fault, State } from "../parts/notes.js";

const training = `# Options of \`sqa train\`, as its --config file has them.
model: small
images: mnist
method: fgsm-rs(epsilon=0.3)
sqa: true
epochs: 2
limit: 2000
`;

const audit = `# Options of \`sqa audit\`, as its --config file has them.
budget: quick
limit: 50
`;

/** Trainings and audits that the page begins and stops. */
export function WorkView({ wanted }: { readonly wanted: string }) {
  const { data: jobs, error, reload } = useLoaded<Job[]>("/api/jobs");
  const [refused, setRefused] = useState<string>();
  useStream("/api/stream", { jobs: reload, runs: reload, reopened: reload });
  const attempt = (work: Promise<unknown>) =>
    work.then(
      () => {
        setRefused(undefined);
        reload();
      },
      (cause: Error) => setRefused(cause.message),
    );
  return (
    <>
      <h1>Work</h1>
      <Fault text={error ?? refused} />
      <div class="columns">
        {wanted === "" && (
          <Begin
            title="New training"
            text={training}
            begin={(config) => attempt(post("/api/jobs", { kind: "train", config }))}
          />
        )}
        {wanted !== "" && (
          <Begin
            title={`Audit of ${wanted}`}
            text={audit}
            begin={(config) => attempt(post("/api/jobs", { kind: "audit", run: wanted, config }))}
          />
        )}
      </div>
      <h2>Begun on this page</h2>
      {jobs?.length === 0 && <p>Nothing yet.</p>}
      {jobs?.map((job) => (
        <JobCard key={job.id} job={job} stop={() => attempt(post(apiPath("jobs", job.id, "stop"), {}))} />
      ))}
    </>
  );
}

interface BeginProps {
  readonly title: string;
  readonly text: string;
  begin(config: string): void;
}

function Begin({ title, text, begin }: BeginProps) {
  const [config, setConfig] = useState(text);
  return (
    <form
      class="begin"
      onSubmit={(event) => {
        event.preventDefault();
        begin(config);
      }}
    >
      <h2>{title}</h2>
      <label>
        Configuration (YAML)
        <textarea
          rows={9}
          spellcheck={false}
          value={config}
          onInput={(event) => setConfig(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Start</button>
    </form>
  );
}

function JobCard({ job, stop }: { readonly job: Job; stop(): void }) {
  const { id, kind, run, state, code, began, log } = job;
  const ending = code === null ? "" : code === 0 ? ", exit code 0" : `, ended with exit code ${code}`;
  return (
    <section class="job" aria-label={`${kind} begun ${time(began)}`}>
      <h3>
        {kind === "train" ? "Training" : "Audit"} {run !== "" && <a href={hrefOf("runs", run)}>{run}</a>}
      </h3>
      <p class="bar">
        <State name={state} />
        <span>{`begun ${time(began)}${ending}`}</span>
        {state === "running" && (
          <button type="button" onClick={stop}>
            Stop
          </button>
        )}
      </p>
      {log !== "" && (
        <details>
          <summary>What it wrote</summary>
          <section class="scroll" tabIndex={0} aria-label={`output of ${id}`}>
            <pre>{log}</pre>
          </section>
        </details>
      )}
    </section>
  );
}
