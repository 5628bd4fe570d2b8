import { useEffect, useState } from "preact/hooks";
import type { ModelFile, PlayFacts, PlayModel, PlayResult, RunPage } from "../../src/server/api.js";
import { post } from "../data/api.js";
import { radius } from "../data/format.js";
import { useLoaded } from "../data/hooks.js";
import { Fault } from "../parts/notes.js";
import { type ChosenImage, PlayImage } from "../parts/play-image.js";
import { choicesOf, PlayModelChoice } from "../parts/play-model.js";
import { PlayShown } from "../parts/play-shown.js";

interface AttackName {
  readonly name: string;
  readonly summary: string;
  readonly steps: boolean;
}

/** Facts of a model, asked for anew when another is chosen. */
function useFacts(model: PlayModel | undefined) {
  const [found, setFound] = useState<{ readonly key: string; readonly facts: PlayFacts }>();
  const [error, setError] = useState<string>();
  const key = JSON.stringify(model);
  useEffect(() => {
    if (key === undefined) return;
    let isCurrent = true;
    post<PlayFacts>("/api/playground/model", JSON.parse(key)).then(
      (facts) => {
        if (!isCurrent) return;
        setFound({ key, facts });
        setError(undefined);
      },
      (cause: Error) => isCurrent && setError(cause.message),
    );
    return () => {
      isCurrent = false;
    };
  }, [key]);
  return { facts: found?.key === key ? found?.facts : undefined, error };
}

/** An image under an attack of the reader's choice. */
export function PlaygroundView({ wanted }: { readonly wanted: string }) {
  const runs = useLoaded<RunPage>("/api/runs?limit=200&state=finished");
  const files = useLoaded<ModelFile[]>("/api/playground/files");
  const attacks = useLoaded<AttackName[]>("/api/playground/attacks");
  const choices = choicesOf(wanted, runs.data?.runs ?? [], files.data ?? []);
  const [model, setModel] = useState<PlayModel | undefined>(wanted === "" ? undefined : { run: wanted });
  const [attack, setAttack] = useState("pgd");
  const [epsilon, setEpsilon] = useState(8);
  const [steps, setSteps] = useState(20);
  const [image, setImage] = useState<ChosenImage>();
  const [result, setResult] = useState<PlayResult>();
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const first = choices[0]?.model;
  const isLoaded = runs.data !== undefined && files.data !== undefined;
  useEffect(() => {
    if (model === undefined && isLoaded && first !== undefined) setModel(first);
  }, [model, isLoaded, first]);
  const { facts, error: unopened } = useFacts(model);
  const takesSteps = attacks.data?.find(({ name }) => name === attack)?.steps ?? false;
  const call = `${attack}(epsilon=${epsilon}/255${takesSteps ? `, steps=${steps}` : ""})`;
  const begin = async () => {
    setBusy(true);
    try {
      setResult(await post<PlayResult>("/api/playground", { model, attack: call, image, seed: 0 }));
      setError(undefined);
    } catch (cause) {
      setError((cause as Error).message);
    }
    setBusy(false);
  };
  const number = (change: (value: number) => void) => (event: { currentTarget: HTMLInputElement }) =>
    change(Number(event.currentTarget.value));
  const isReady = facts !== undefined && image !== undefined;
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
        <PlayModelChoice choices={choices} model={model} choose={setModel} />
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
          {`Epsilon: ${radius(epsilon / 255)}`}
          <input
            type="range"
            min={0}
            max={128}
            step={0.5}
            value={epsilon}
            aria-valuetext={radius(epsilon / 255)}
            onInput={number(setEpsilon)}
          />
        </label>
        {takesSteps && (
          <label>
            {`Steps: ${steps}`}
            <input type="range" min={1} max={100} step={1} value={steps} onInput={number(setSteps)} />
          </label>
        )}
        {facts !== undefined && <PlayImage key={JSON.stringify(model)} facts={facts} choose={setImage} />}
        <button type="submit" disabled={busy || !isReady}>
          {busy ? "Attacking ..." : "Attack"}
        </button>
        <code>{call}</code>
      </form>
      {facts?.notes.map((note) => (
        <p key={note} class="hint">
          {note}
        </p>
      ))}
      <Fault text={error ?? unopened ?? attacks.error ?? runs.error ?? files.error} />
      {isLoaded && choices.length === 0 && (
        <p>There is no finished run yet, and no exported model in a folder that the dashboard may read.</p>
      )}
      <div aria-live="polite">{result !== undefined && <PlayShown result={result} />}</div>
    </>
  );
}
