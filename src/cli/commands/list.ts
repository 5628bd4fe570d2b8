import * as z from "zod";
import { attacks, combinators } from "../../attacks/index.js";
import { unknownName } from "../../base/index.js";
import { augmentations, datasets } from "../../datasets/index.js";
import { models } from "../../models/index.js";
import { describeOptions } from "../../options/describe.js";
import { listOptions } from "../../options/schema.js";
import { renderTable } from "../../report/table.js";
import { optimizers, schedules, trainingMethods } from "../../training/index.js";
import { defineCommand } from "../frame/command.js";
import { colors, out } from "../frame/output.js";
import { asUsage } from "../frame/usage-error.js";
import { networkFacts, networkOptions } from "../list-networks.js";

/** A thing that has a name: what it is, its options, and what else its own page tells. */
interface Item {
  readonly name: string;
  readonly summary: string;
  readonly options: z.ZodObject;
  facts?(): readonly string[];
}

/** Every kind of thing that can be named on the command line. */
const kinds: Readonly<Record<string, readonly Item[]>> = {
  attacks: [...attacks.values(), ...combinators.values()],
  networks: models.map((model) => ({
    name: model.name,
    summary: model.summary,
    options: networkOptions(model),
    facts: () => networkFacts(model),
  })),
  datasets: [...datasets.values()],
  augmentations: augmentations.definitions,
  methods: trainingMethods.definitions,
  schedules: schedules.definitions,
  optimizers: optimizers.definitions,
};

function kindOf(name: string): readonly Item[] {
  if (!Object.hasOwn(kinds, name)) throw unknownName("kind", name, Object.keys(kinds));
  return kinds[name]!;
}

function itemOf(kind: string, name: string): Item {
  const items = kindOf(kind);
  const item = items.find((one) => one.name === name);
  if (item === undefined)
    throw unknownName(
      kind.replace(/s$/, ""),
      name,
      items.map((one) => one.name),
    );
  return item;
}

function overview(kind: string): string {
  const { bold, dim } = colors();
  const items = kindOf(kind);
  const width = Math.max(...items.map(({ name }) => name.length)) + 2;
  const lines = items.map(({ name, summary, options }) => {
    const listed = listOptions(options);
    return `  ${name.padEnd(width)}${summary}${listed === "none" ? "" : `\n  ${" ".repeat(width)}${dim(listed)}`}`;
  });
  return [bold(kind), ...lines].join("\n");
}

function page({ name, summary, options, facts }: Item): string {
  const { bold, dim } = colors();
  const rows = describeOptions(options).map((row) => [
    row.name,
    row.default ?? (row.required ? "(required)" : ""),
    row.type,
    row.description,
  ]);
  const columns = ["option", "default", "accepted", "meaning"];
  const align = ["left", "left", "left", "left"] as const;
  const table = renderTable({ columns, rows, align }, "terminal", { heading: bold, rule: dim });
  return [`${bold(name)}: ${summary}`, ...(facts?.() ?? []), ...(rows.length > 0 ? ["", table] : [])].join("\n");
}

function itemJson({ name, summary, options }: Item) {
  return { name, summary, options: describeOptions(options) };
}

/** `sqa list`: what can be named on the command line, with options and defaults. */
export const listCommand = defineCommand({
  name: "list",
  summary: "list attacks, networks, data sets and training methods with their options",
  operands: [
    { name: "kind", description: `one of ${Object.keys(kinds).join(", ")}`, optional: true },
    { name: "name", description: "show one of them in detail", optional: true },
  ],
  options: z.strictObject({ json: z.boolean().default(false).describe("print JSON") }),
  examples: ["sqa list", "sqa list attacks", "sqa list attacks pgd"],
  async run({ json }, { operands: [kind, name] }) {
    asUsage(() => {
      const chosen = kind === undefined ? Object.keys(kinds) : [kind];
      if (kind !== undefined && name !== undefined) {
        const item = itemOf(kind, name);
        out(json ? JSON.stringify(itemJson(item)) : page(item));
      } else if (json) {
        out(JSON.stringify(Object.fromEntries(chosen.map((one) => [one, kindOf(one).map(itemJson)]))));
      } else out(chosen.map(overview).join("\n\n"));
    });
    return 0;
  },
});
