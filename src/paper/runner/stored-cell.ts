import { attacks } from "../../attacks/index.js";
import { type TrainConfigInput, trainConfig } from "../../training/index.js";
import type { Cell, Question } from "./cell.js";

/** Cell as texts and numbers, which another process makes the cell of. */
export interface StoredCell {
  readonly name: string;
  readonly config: TrainConfigInput;
  readonly questions: readonly (Omit<Question, "attack"> & { readonly attack?: string })[];
}

/**
 * Tells whether texts can bring back all of a cell: a model or images of the user's own exist in this process
 * alone.
 */
export function isStorable({ config: { model, data } }: Cell): boolean {
  return model.own === undefined && "call" in data;
}

/** Cell as texts and numbers. */
export function storedCell(cell: Cell): StoredCell {
  return JSON.parse(JSON.stringify(cell)) as StoredCell;
}

/** Cell of its texts. RangeError for a name that this process does not know. */
export function cellOf({ name, config, questions }: StoredCell): Cell {
  return {
    name,
    config: trainConfig(config),
    questions: questions.map(({ attack, ...question }) => ({
      ...question,
      ...(attack === undefined ? {} : { attack: attacks.parse(attack) }),
    })),
  };
}
