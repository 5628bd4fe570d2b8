import { useEffect, useState } from "preact/hooks";
import type { PlayResult, RunPage } from "../../src/server/api.js";
import { post } from "../data/api.js";
import { useLoaded } from "../data/hooks.js";
import { Draw } from "../parts/draw.js";
import { Fault } from "../parts/notes.js";
import { PlayShown } from "../parts/play-shown.js";

interface AttackName {
  readonly name: string;
  readonly summary: string;
  readonly steps: boolean;
}

/** Side of a drawing: that of MNIST's images. */
const side = 28;

/** An image under an attack of the reader's choice. */
export function PlaygroundView({ wanted }: { readonly wanted: string }) {
  const runs = useLoaded<RunPage>("/api/runs?limit=200&state=finished");
  const attacks = useLoaded<AttackName[]>("/api/playground/attacks");
  const [run, setRun] = useState(wanted);
  const [attack, setAttack] = useState("pgd");
  const [epsilon, setEpsilon] = useState(0.1);
  const [steps, setSteps] = useState(20);
  const [source, setSource] = useState<"test" | "drawing">("test");
  const [position, setPosition] = useState(0);
  const [label, setLabel] = useState(0);
  const [pixels, setPixels] = useState<number[]>([]);
  const [result, setResult] = useState<PlayResult>();
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const names = (runs.data?.runs ?? []).map(({ name }) => name);
  const choices = wanted !== "" && !names.includes(wanted) ? [wanted, ...names] : names;
  useEffect(() => {
    if (run === "" && choices[0] !== undefined) setRun(choices[0]);
  }, [run, choices[0]]);
  const takesSteps = attacks.data?.find(({ name }) => name === attack)?.steps ?? false;
  const call = `${attack}(epsilon=${epsilon}${takesSteps ? `, steps=${steps}` : ""})`;
  const begin = async () => {
    setBusy(true);
    const image = source === "test" ? { position } : { pixels, label };
    try {
      setResult(await post<PlayResult>("/api/playground", { run, attack: call, image, seed: 0 }));
      setError(undefined);
    } catch (cause) {
      setError((cause as Error).message);
    }
    setBusy(false);
  };
  const number = (change: (value: number) => void) => (event: { currentTarget: HTMLInputElement }) =>
    change(Number(event.currentTarget.value));
  return (
    <>
      <h1>Playground</h1>
      <form
        class="play"
        onSubmit={(event) => {
          event.preventDefault();
          begin();
        }}
      >
        <label>
          Run
          <select value={run} onChange={(event) => setRun(event.currentTarget.value)}>
            {choices.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Attack
          <select value={attack} onChange={(event) => setAttack(event.currentTarget.value)}>
            {(attacks.data ?? [{ name: "pgd", summary: "" }]).map(({ name, summary }) => (
              <option key={name} value={name} title={summary}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          {`Epsilon: ${epsilon}`}
          <input type="range" min={0} max={0.5} step={0.005} value={epsilon} onInput={number(setEpsilon)} />
        </label>
        {takesSteps && (
          <label>
            {`Steps: ${steps}`}
            <input type="range" min={1} max={100} step={1} value={steps} onInput={number(setSteps)} />
          </label>
        )}
        <fieldset>
          <legend>Image</legend>
          {(["test", "drawing"] as const).map((kind) => (
            <label key={kind} class="choice">
              <input type="radio" name="source" checked={source === kind} onChange={() => setSource(kind)} />
              {kind === "test" ? "of the test images" : "my drawing"}
            </label>
          ))}
          {source === "test" ? (
            <label>
              Position
              <input type="number" min={0} step={1} value={position} onInput={number(setPosition)} />
            </label>
          ) : (
            <>
              <Draw width={side} height={side} drawn={setPixels} />
              <label>
                Its class, counted from 0
                <input type="number" min={0} step={1} value={label} onInput={number(setLabel)} />
              </label>
            </>
          )}
        </fieldset>
        <button type="submit" disabled={busy || run === ""}>
          {busy ? "Attacking ..." : "Attack"}
        </button>
        <code>{call}</code>
      </form>
      <Fault text={error ?? attacks.error ?? runs.error} />
      {runs.data?.runs.length === 0 && wanted === "" && <p>There is no finished run yet.</p>}
      <div aria-live="polite">{result !== undefined && <PlayShown result={result} />}</div>
    </>
  );
}
