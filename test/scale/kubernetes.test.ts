import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { shardOf } from "../../src/cli/commands/shards/shard-options.js";
import { exitCode } from "../../src/cli/frame/exit-code.js";

const file = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const manifest = () => parse(file("../../examples/scale/audit-job.yaml"));
const schema = JSON.parse(file("schemas/job-batch-v1.schema.json"));

const ajv = new Ajv({ allErrors: true, strict: false });
(addFormats as unknown as (to: Ajv) => void)(ajv);
const isJob = ajv.compile(schema);
const faults = (job: unknown) => (isJob(job) ? [] : isJob.errors!.map(({ instancePath }) => instancePath));

interface Rule {
  readonly action: string;
  readonly onExitCodes?: { readonly values: number[]; readonly containerName: string };
}

describe("the Indexed Job of Kubernetes", () => {
  it("fits the published schema, which knows no other fields and types", () => {
    expect(faults(manifest())).toEqual([]);
    const wrong = manifest();
    wrong.spec.template.spec.containers[0].commands = [];
    wrong.spec.completions = "16";
    delete wrong.spec.template.spec.volumes[0].name;
    expect(faults(wrong).sort()).toEqual([
      "/spec/completions",
      "/spec/template/spec/containers/0",
      "/spec/template/spec/volumes/0",
    ]);
  });

  it("keeps the rules of failure policies that the API checks beside the schema", () => {
    const { spec } = manifest();
    expect(spec.completionMode).toBe("Indexed");
    expect(spec.backoffLimitPerIndex).toBeGreaterThan(0);
    expect(spec.template.spec.restartPolicy).toBe("Never");
    for (const { onExitCodes } of spec.podFailurePolicy.rules as Rule[]) {
      if (onExitCodes === undefined) continue;
      const { values, containerName } = onExitCodes;
      expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
      expect(values).not.toContain(0);
      expect(spec.template.spec.containers.map(({ name }: { name: string }) => name)).toContain(
        containerName,
      );
    }
  });

  it("knows the exit codes: 75 goes on, all others of 64 to 78 fail their index", () => {
    const rules = manifest().spec.podFailurePolicy.rules as Rule[];
    const actionOf = (code: number) =>
      rules.find(({ onExitCodes }) => onExitCodes?.values.includes(code) === true)?.action;
    for (let code = 64; code <= 78; code++)
      expect([code, actionOf(code)]).toEqual([code, code === exitCode.stopped ? "Ignore" : "FailIndex"]);
    for (const code of [exitCode.usage, exitCode.data, exitCode.broken])
      expect(actionOf(code)).toBe("FailIndex");
    // Killed, as for want of memory: another try, up to the limit of the index.
    for (const code of [137, 143]) expect(actionOf(code)).toBeUndefined();
  });

  it("gives each of its indices a shard of its own", () => {
    const { completions, template } = manifest().spec;
    const { command } = template.spec.containers[0] as { command: string[] };
    const shard = command[command.indexOf("--shard") + 1]!;
    const found = Array.from({ length: completions }, (_, index) =>
      shardOf({ shard, jobs: 1 }, { JOB_COMPLETION_INDEX: String(index) }),
    );
    expect(found).toEqual(Array.from(found, (_, i) => ({ index: i + 1, count: completions })));
  });
});
