import { expect, test } from "vitest";
import * as z from "zod";
import { auditOptions } from "../../src/cli/commands/audit/audit-options.js";
import { shardCommand } from "../../src/cli/commands/shards/request.js";
import { importWords } from "../../src/cli/frame/shown-path.js";
import { commandText } from "../../src/cli/frame/words/command-text.js";

test("a command to repeat writes radii as gray levels, and other numbers as they are", () => {
  expect(commandText("audit", ["runs/x"], { epsilon: 8 / 255, limit: 300 }, auditOptions)).toBe(
    "npx sqa audit runs/x --epsilon 8/255 --limit 300",
  );
});

test("a command to repeat loads the modules that the command was given", () => {
  const imports = ["own.mjs", "my attack.mjs"];
  expect(
    commandText("audit", ["runs/x"], { verbose: true }, auditOptions, { without: ["verbose"], imports }),
  ).toBe("npx sqa audit runs/x --import own.mjs --import 'my attack.mjs'");
});

test("a shard's command loads the modules that the command was given", () => {
  const request = {
    command: "audit",
    operands: ["runs/x"],
    options: {},
    imports: ["my attack.mjs"],
  } as const;
  const schema = z.strictObject({ shard: z.string().optional() });
  expect(shardCommand(request, { index: 1, count: 4 }, schema)).toMatch(
    /^npx sqa audit runs\/x --shard \S+ --import 'my attack\.mjs'$/,
  );
  expect(importWords([])).toEqual([]);
});
