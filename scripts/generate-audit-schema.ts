import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { auditJsonSchema } from "../src/evaluation/index.js";

/** Writes the JSON schema of audit.json, which a test compares with the code. */
const file = new URL("../docs/audit.schema.json", import.meta.url).pathname;
writeFileSync(file, `${JSON.stringify(auditJsonSchema(), null, 2)}\n`);
execFileSync("npx", ["biome", "format", "--write", file], { stdio: "inherit" });
