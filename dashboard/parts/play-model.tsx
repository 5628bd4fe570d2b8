import { useState } from "preact/hooks";
import type { ModelFile, PlayModel, RunSummary } from "../../src/server/api.js";

/** Model that can be chosen, with its name in the list. */
export interface ModelChoice {
  readonly name: string;
  readonly model: PlayModel;
}

/** Finished runs and exported models; a run that was asked for first. */
export function choicesOf(
  wanted: string,
  runs: readonly Pick<RunSummary, "name">[],
  files: readonly ModelFile[],
): ModelChoice[] {
  const names = runs.map(({ name }) => name);
  const all = wanted !== "" && !names.includes(wanted) ? [wanted, ...names] : names;
  return [
    ...all.map((name) => ({ name, model: { run: name } })),
    ...files.map(({ place, file }) => ({ name: `${place}: ${file}`, model: { place, file } })),
  ];
}

const keyOf = (model: PlayModel) => ("run" in model ? `run ${model.run}` : `${model.place} ${model.file}`);

interface PlayModelProps {
  readonly choices: readonly ModelChoice[];
  readonly model: PlayModel | undefined;
  choose(model: PlayModel): void;
}

/** Choice of a run or an exported model, and of the normalization that the latter leaves to its user. */
export function PlayModelChoice({ choices, model, choose }: PlayModelProps) {
  const [normalize, setNormalize] = useState("");
  const chosen = model === undefined ? "" : keyOf(model);
  return (
    <>
      <label>
        Model
        <select
          value={chosen}
          onChange={(event) => {
            const next = choices.find((choice) => keyOf(choice.model) === event.currentTarget.value);
            setNormalize("");
            if (next !== undefined) choose(next.model);
          }}
        >
          {choices.map(({ name, model: one }) => (
            <option key={keyOf(one)} value={keyOf(one)}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {model !== undefined && "file" in model && (
        <label>
          Normalization, where the model has none inside
          <input
            type="text"
            value={normalize}
            placeholder="none; imagenet; MEAN/STD"
            onInput={(event) => setNormalize(event.currentTarget.value)}
            onChange={() => {
              const { place, file } = model;
              const text = normalize.trim();
              choose({ place, file, ...(text === "" ? {} : { normalize: text }) });
            }}
          />
        </label>
      )}
    </>
  );
}
