import { useEffect, useState } from "preact/hooks";
import type { PlayFacts, PlayRequest } from "../../src/server/api.js";
import { Draw } from "./draw.js";

/** Image to attack, as the server is asked for it. */
export type ChosenImage = PlayRequest["image"];

type Source = "test" | "drawing" | "picture";

const titles: Readonly<Record<Source, string>> = {
  test: "of the test images",
  drawing: "my drawing",
  picture: "a picture of mine",
};

/** Bytes of a picture that are sent at most. */
const mostBytes = 5 * 2 ** 20;

/** A drawing in as many channels as a model takes. */
const inChannels = (drawn: readonly number[], channels: number) =>
  Array.from({ length: channels }, () => drawn).flat();

interface PlayImageProps {
  readonly facts: PlayFacts;
  choose(image: ChosenImage | undefined): void;
}

/** Choice of an image: of a data set, drawn, or a picture of the reader's, which the server resizes. */
export function PlayImage({ facts: { shape, classNames, data }, choose }: PlayImageProps) {
  const [channels, height, width] = shape;
  const sources: Source[] = [...(data.length > 0 ? (["test"] as const) : []), "drawing", "picture"];
  const [source, setSource] = useState<Source>(sources[0]!);
  const [set, setSet] = useState(data[0] ?? "");
  const [position, setPosition] = useState(0);
  const [label, setLabel] = useState("");
  const [drawn, setDrawn] = useState<number[]>([]);
  const [picture, setPicture] = useState<string>();
  const [refused, setRefused] = useState<string>();
  const ownLabel = label === "" ? null : Number(label);
  useEffect(() => {
    if (source === "test") choose({ position, data: set });
    else if (source === "drawing")
      choose(drawn.length === 0 ? undefined : { pixels: inChannels(drawn, channels), label: ownLabel });
    else choose(picture === undefined ? undefined : { picture, label: ownLabel });
  }, [source, set, position, ownLabel, drawn, picture]);
  const read = async (file: File | undefined) => {
    setPicture(undefined);
    if (file === undefined) return;
    const isLarge = file.size > mostBytes;
    setRefused(isLarge ? `${file.name} is larger than ${mostBytes / 2 ** 20} MB` : undefined);
    if (!isLarge) setPicture(await base64Of(file));
  };
  return (
    <fieldset>
      <legend>Image</legend>
      {sources.map((kind) => (
        <label key={kind} class="choice">
          <input type="radio" name="source" checked={source === kind} onChange={() => setSource(kind)} />
          {titles[kind]}
        </label>
      ))}
      {source === "test" && (
        <>
          {data.length > 1 && (
            <label>
              Data set
              <select value={set} onChange={(event) => setSet(event.currentTarget.value)}>
                {data.map((name) => (
                  <option key={name} value={name}>
                    {name === "" ? "the run's own" : name}
                  </option>
                ))}
              </select>
            </label>
          )}
          <label>
            Position
            <input
              type="number"
              min={0}
              step={1}
              value={position}
              onInput={(event) => setPosition(Number(event.currentTarget.value))}
            />
          </label>
        </>
      )}
      {source === "drawing" && <Draw width={width} height={height} drawn={setDrawn} />}
      {source === "picture" && (
        <label>
          {`PNG, JPEG or WebP; it becomes ${width} x ${height} pixels`}
          <input
            type="file"
            accept="image/png,image/jpeg,image/webp"
            onChange={(event) => read(event.currentTarget.files?.[0])}
          />
          {refused !== undefined && <span class="problem">{refused}</span>}
        </label>
      )}
      {source !== "test" && (
        <label>
          Its class
          <select value={label} onChange={(event) => setLabel(event.currentTarget.value)}>
            <option value="">what the model says</option>
            {classNames.map((name, i) => (
              <option key={name} value={String(i)}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
    </fieldset>
  );
}

/** Content of a file in base64. */
function base64Of(file: File): Promise<string> {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = () => fail(reader.error);
    reader.readAsDataURL(file);
  });
}
