import type { Definition } from "../../../options/index.js";

/** Entry of a list: its name, a line about it, its options, and what else its own page tells. */
export interface Entry extends Pick<Definition, "name" | "summary" | "options" | "takes"> {
  facts?(): readonly string[];
}

/** List of what can be named at the command line; entries are loaded when they are asked for. */
interface Listed {
  /** A thing of the list in messages. */
  readonly thing: string;
  entries(): Promise<readonly Entry[]>;
}

type Definitions = { readonly definitions: readonly Definition[] };

const kindOf = (thing: string, load: () => Promise<Definitions>): Listed => ({
  thing,
  entries: async () => (await load()).definitions,
});

/** Every list, by the word that asks for it. */
export const lists: Readonly<Record<string, Listed>> = {
  attacks: kindOf("attack", async () => (await import("../../../attacks/index.js")).attacks),
  models: {
    thing: "model",
    async entries() {
      const { models } = await import("../../../models/index.js");
      const { modelFacts } = await import("./model-facts.js");
      return models.definitions.map((definition) => {
        const { name, summary, options, takes } = definition;
        return { name, summary, options, takes, facts: () => modelFacts(definition.make({})) };
      });
    },
  },
  defenses: kindOf("defense", async () => (await import("../../../defenses/index.js")).defenses),
  data: kindOf("data set", async () => (await import("../../../datasets/index.js")).datasets),
  methods: kindOf("training method", async () => (await import("../../../training/index.js")).methods),
  optimizers: kindOf("optimizer", async () => (await import("../../../nn/index.js")).optimizers),
  schedules: kindOf("schedule", async () => (await import("../../../nn/index.js")).schedules),
  augmentations: kindOf(
    "augmentation",
    async () => (await import("../../../datasets/index.js")).augmentations,
  ),
  guards: kindOf("guard", async () => (await import("../../../training/index.js")).guards),
  checks: kindOf("check", async () => (await import("../../../evaluation/index.js")).checks),
  tables: kindOf("table", async () => (await import("../../../paper/index.js")).tables),
};

/** Entries of a name in some lists: `fgsm` is an attack and a training method. */
export async function entriesNamed(
  name: string,
  among: readonly string[],
): Promise<[list: string, entry: Entry][]> {
  const found: [string, Entry][] = [];
  for (const list of among) {
    const entry = (await lists[list]!.entries()).find((one) => one.name === name);
    if (entry !== undefined) found.push([list, entry]);
  }
  return found;
}
