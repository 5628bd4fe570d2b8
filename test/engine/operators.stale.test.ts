import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generateOperators } from "../../scripts/generate-operators.js";
import { versions } from "../../src/engine/index.js";

const { libtorch } = versions();

// Schemas differ a little between versions; the committed file is that of the version that setup installs.
test.skipIf(!libtorch.startsWith("2.13."))(
  `src/engine/operators.ts is that of libtorch 2.13 (loaded: ${libtorch})`,
  () => {
    const committed = readFileSync(new URL("../../src/engine/operators.ts", import.meta.url), "utf8");
    expect(generateOperators() === committed, "stale: run `npm run operators`").toBe(true);
  },
);
