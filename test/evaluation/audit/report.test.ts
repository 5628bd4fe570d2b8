import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memoryPages, validateXML } from "xmllint-wasm";
import { parse } from "yaml";
import { FileFormatError } from "../../../src/base/index.js";
import { sqa } from "../../../src/defenses/index.js";
import { compared } from "../../../src/evaluation/audit/criterion/baseline.js";
import { weightsSha256 } from "../../../src/evaluation/audit/evidence/model-facts.js";
import { reportText } from "../../../src/evaluation/audit/report/text.js";
import {
  audit,
  auditJsonSchema,
  type Report,
  readAudit,
  readSelfTest,
  reportFormats,
  reportIn,
  type SelfTestResult,
  selfTestRecord,
} from "../../../src/evaluation/index.js";
import { readSafetensors } from "../../../src/files/index.js";
import { small } from "../../../src/models/index.js";
import { escapeHtml, visibleWidth } from "../../../src/report/index.js";
import { quantizedCnn } from "../../attacks/tiny-networks.js";
import { readEventFile } from "../../files/event-records.js";
import { splitFor } from "../splits.js";
import { auditFaults, cycloneDxFaults, sarifFaults } from "./schemas.js";
import { audited, budget, goldenSplit } from "./tiny-audit.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-report-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** An older XML validator's answer to a file: the faults by the published JUnit schema. */
async function junitFaults(xml: string): Promise<readonly { message: string }[]> {
  const schema = readFileSync(new URL("report/schemas/junit.xsd", import.meta.url), "utf8");
  const found = await validateXML({
    xml: [{ fileName: "report.xml", contents: xml }],
    schema: [{ fileName: "junit.xsd", contents: schema }],
    initialMemoryPages: 16 * memoryPages.MiB,
  });
  return found.errors;
}

// An audit of a few dozen attacks on tiny images.
describe("a report", { timeout: 600_000 }, () => {
  let report: Report;
  const model = small().build({ seed: 1, defenses: [sqa()] });
  const pixels = Uint8Array.from({ length: 6 * 784 }, (_, i) => (i * i) % 251);
  const images = splitFor(model, pixels, Uint8Array.of(0, 1, 2, 3, 4, 5));
  const { curve: _, ...few } = budget;
  const options = { epsilon: 8 / 255, budget: few, folder };
  /** Case of a self-test that has passed. */
  const known: SelfTestResult = {
    ...{ name: "a coin", passed: true },
    expected: ["masked"],
    report: { verdict: { name: "masked" }, lines: [] } as unknown as Report,
  };
  const hostile = `<img src=x onerror="alert(1)"> & ]]>`;
  beforeAll(async () => {
    const selfTest = selfTestRecord([known]);
    const provenance = {
      author: hostile,
      command: "npx sqa audit runs/x",
      source: "made up; no license",
      selfTest,
    };
    const require = "clean >= 0 and worst > 0.999 and fixed-seed >= 0.5";
    report = await audit(Object.assign(model, { notes: ["softmax removed"] }), images, {
      ...options,
      require,
      provenance,
    });
  }, 600_000);

  it("writes numbers, a page that loads nothing, and the worst images", async () => {
    const files = await report.write(folder);
    const json = JSON.parse(readFileSync(files.json, "utf8")) as Record<string, unknown>;
    expect(json).toEqual(JSON.parse(JSON.stringify(report)));
    expect(json).toMatchObject({
      model: "small",
      defenses: ["sqa"],
      data: "test images",
      norm: "linf",
      epsilon: 8 / 255,
      claimedBy: report.claimedBy,
      claimGiven: false,
      images: 6,
      verdict: report.verdict,
      checklist: report.lines,
    });
    expect(json.trials).toHaveLength(report.trials.length);
    const page = readFileSync(files.html, "utf8");
    expect(page).toContain("<h1>Audit of small</h1>");
    expect(page).toContain("radius 8/255");
    for (const { question } of report.lines) expect(page).toContain(escapeHtml(question));
    expect(page.replaceAll("http://www.w3.org", "")).not.toMatch(/(src|href)="http/);
    expect(page).not.toMatch(/<script|<img src=x| on[a-z]+="/);
    expect(page).toContain(escapeHtml(hostile));
    expect(page).toMatch(/<strong>0 -&gt; \d<\/strong>/);
    expect(page).toContain("softmax removed");
    const worst = readSafetensors(join(files.images, "worst.safetensors")).tensors;
    expect(worst.get("images")!.shape).toEqual([6, 1, 28, 28]);
    const clean = worst.get("clean")!.data as Float32Array;
    expect(Uint8Array.from(clean, (pixel) => Math.round(255 * pixel))).toEqual(pixels);
    expect([...(worst.get("labels")!.data as BigInt64Array)].map(Number)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(readdirSync(files.images).filter((name) => name.endsWith(".png"))).toHaveLength(6);
    for (const line of readFileSync(files.sums, "utf8").trimEnd().split("\n")) {
      const [sum, name] = line.split("  ");
      expect(
        createHash("sha256")
          .update(readFileSync(join(folder, name!)))
          .digest("hex"),
      ).toBe(sum);
    }
  });

  it("fits the published schema, which is made of the code", () => {
    const committed = readFileSync(new URL("../../../docs/audit.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(committed)).toEqual(JSON.parse(JSON.stringify(auditJsonSchema())));
    const faults = auditFaults();
    const json = JSON.parse(JSON.stringify(report));
    expect(faults(json)).toEqual([]);
    expect(faults({ ...json, worst: { accuracy: 2, low: 0, high: 1, method: "" } })).not.toEqual([]);
    const { evidence: __, ...without } = json;
    expect(faults(without)).not.toEqual([]);
  });

  it("holds what others need to judge and repeat it", () => {
    const json = report.toJSON();
    const { evidence, environment, perImage } = json;
    expect(evidence.model).toMatchObject({
      weightsSha256: weightsSha256(model.module),
      outputs: expect.stringContaining("softmax removed"),
      notes: ["softmax removed"],
      randomized: true,
    });
    const bytes = (i: number) =>
      new Uint8Array(
        Float32Array.from(pixels.subarray(784 * i, 784 * (i + 1)), (p) => Math.fround(p / 255)).buffer,
      );
    const sums = [0, 1, 2, 3, 4, 5].map((i) =>
      createHash("sha256").update(bytes(i)).update(String(i)).digest("hex"),
    );
    expect(perImage.map(({ sha256 }) => sha256)).toEqual(sums);
    const manifest = sums.map((sum, i) => `${i} ${sum} ${i}\n`).join("");
    expect(evidence.data.manifestSha256).toBe(createHash("sha256").update(manifest).digest("hex"));
    expect(evidence.threatModel).toMatchObject({
      epsilonText: "8/255",
      goal: "evasion, untargeted: any wrong class counts",
    });
    expect(evidence.perClass.map(({ images: count }) => count)).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
    expect(json.perClassWorst).toBeUndefined();
    const mean = perImage.reduce((sum, { correct }) => sum + correct.worst, 0) / 6;
    expect(mean).toBeCloseTo(json.worst.accuracy, 6);
    expect(evidence.baselines.map(({ name }) => name)).toEqual([
      "clean images",
      "uniform noise",
      "sign noise",
    ]);
    expect(evidence.baselines[0]!.accuracy).toBe(json.clean.accuracy);
    expect(json.worst.method).toContain("bootstrap");
    expect(environment).toMatchObject({ author: hostile, command: "npx sqa audit runs/x", gpu: null });
    expect(JSON.stringify(json.evidence.supports)).not.toMatch(/conform|satisf|compl(y|iant)/i);
  });

  it("holds all options of each attack, and the method of each interval", () => {
    const { trials, curves, convergence, outcome } = report.toJSON();
    // The claim, which runs first, leaves the length of its steps to its default.
    const pgd = trials.find(({ attack }) => attack?.includes("stepSize=") && attack.startsWith("pgd("))!;
    expect(pgd.options).toMatchObject({ steps: expect.any(Number), norm: "linf", loss: "cross-entropy" });
    expect(pgd.options!.stepSize).toBeGreaterThan(0);
    expect(trials.filter(({ options }) => options === null).map(({ trial }) => trial)).toEqual(["clean"]);
    const inside = trials.find(({ attack }) => attack?.startsWith("expectation("))!;
    expect(inside.options).toMatchObject({
      draws: expect.any(Number),
      inside: [{ attack: "pgd", options: { norm: "linf" } }],
    });
    const methods = [...curves, ...convergence].map(({ method }) => method);
    expect(new Set(methods)).toEqual(new Set([report.toJSON().worst.method, "Wilson score"]));
    const values = outcome!.requirements.map(({ figure, value }) => [figure, value!.method]);
    expect(values[0]![1]).toContain("bootstrap");
    expect(values[2]).toEqual(["fixed-seed", "Wilson score"]);
  });

  it("tells the result of the audit's self-test, or why there is none", async () => {
    const { selfTest, notTested } = report.toJSON().evidence;
    expect(selfTest).toMatchObject({
      result: { passed: true, sameEnvironment: true, cases: [{ name: "a coin", verdict: "masked" }] },
      reason: null,
    });
    const untested = "the audit itself in this environment";
    expect(notTested.join()).not.toContain(untested);
    await report.write(folder);
    expect(readFileSync(join(folder, "audit.html"), "utf8")).toContain("1 of 1 verdicts on known models");
    const printed = join(folder, "self-test.json");
    const record = selfTestRecord([known, { ...known, passed: false }]);
    // As the command prints it, with more on each model.
    const cases = record.cases.map((one) => ({ ...one, checklist: [] }));
    writeFileSync(printed, JSON.stringify({ ...record, cases }));
    const read = readSelfTest(printed);
    expect(read).toMatchObject({ passed: false, cases: [{ passed: true }, { passed: false }] });
    const of = (provenance: object) => audit(model, images, { ...options, provenance });
    const elsewhere = (await of({ selfTest: { ...read, libtorch: "1.0" } })).toJSON().evidence;
    expect(elsewhere.selfTest.result).toMatchObject({ passed: false, sameEnvironment: false });
    expect(elsewhere.notTested.join()).toContain(untested);
    const without = (await of({})).toJSON().evidence;
    expect(without.selfTest).toEqual({
      result: null,
      reason: expect.stringContaining("--self-test was not run"),
    });
    writeFileSync(printed, JSON.stringify([]));
    expect(() => readSelfTest(printed)).toThrow("is no result of sqa audit --self-test --json: ");
  });

  it("reads reports of the form before, whose missing fields are null with the reason", () => {
    const now = JSON.parse(JSON.stringify({ ...report.toJSON(), perClassWorst: report.toJSON().clean }));
    const without = (one: Record<string, unknown>, ...names: string[]) =>
      Object.fromEntries(Object.entries(one).filter(([name]) => !names.includes(name)));
    const before = {
      ...now,
      schema: "sqa-audit/1",
      trials: now.trials.map((one: object) => without({ ...one }, "options")),
      curves: now.curves.map((one: object) => without({ ...one }, "method")),
      convergence: now.convergence.map((one: object) => without({ ...one }, "method")),
      perClassWorst: without(now.perClassWorst, "method"),
      outcome: {
        ...now.outcome,
        requirements: now.outcome.requirements.map((one: { value: Record<string, unknown> }) => ({
          ...one,
          value: without(one.value, "method"),
        })),
      },
      evidence: {
        ...without(now.evidence, "selfTest"),
        model: without(now.evidence.model, "graph"),
      },
    };
    const file = join(folder, "before.json");
    writeFileSync(file, JSON.stringify(before));
    expect(readAudit(file).audit).toEqual({
      ...now,
      trials: now.trials.map((one: object) => ({ ...one, options: null })),
      perClassWorst: { ...now.perClassWorst, method: now.evidence.perClassMethod },
      evidence: { ...now.evidence, selfTest: { result: null, reason: "sqa-audit/1 does not tell" } },
    });
    writeFileSync(file, JSON.stringify({ ...before, images: -1 }));
    expect(() => readAudit(file)).toThrow(`${file}: images: `);
    writeFileSync(file, '{"schema": "sqa-audit/1", "trials": 3, "evidence": [], "outcome": {}}');
    expect(() => readAudit(file)).toThrow(FileFormatError);
  });

  it("writes its criterion down before the first attack, and judges it", async () => {
    const { outcome } = report;
    expect(outcome).toMatchObject({ criterion: { batchesBefore: 0 }, otherCriteria: [] });
    expect(outcome!.requirements.map(({ figure }) => figure)).toEqual(["clean", "worst", "fixed-seed"]);
    const [written] = JSON.parse(readFileSync(join(report.folder!, "criterion.json"), "utf8"));
    expect(written).toEqual(outcome!.criterion);
    const started = JSON.parse(JSON.stringify(report)).environment.startedAt;
    expect(Date.parse(written.writtenAt)).toBeLessThanOrEqual(Date.parse(started));
    // A criterion that comes when the outcome is known says so.
    const late = await audit(model, images, { ...options, require: "worst >= 0" });
    expect(late.outcome).toMatchObject({
      text: expect.stringMatching(
        /^pass: .*; batches of attacks that were known when the criterion was written: \d+$/,
      ),
      otherCriteria: [written],
    });
    // A batch a trial, and the clean images are no attack.
    expect(late.outcome!.criterion!.batchesBefore).toBe(report.trials.length - 1);
  });

  it("fails against an earlier audit whose worst case was significantly higher, on the same images", async () => {
    const now = report.toJSON();
    const six = now.perImage.map(({ sha256 }) => ({ sha256, clean: 1, worst: 0 }));
    const earlier = (correct: number, draws = 1) => ({
      ...now,
      draws,
      perImage: now.perImage.map((image) => ({ ...image, correct: { clean: 1, worst: correct } })),
    });
    const of = {
      images: six,
      draws: 1,
      budget: now.budget,
      dataSha256: now.evidence.data.manifestSha256,
      resolution: 100,
      verdict: "no fault found",
      errors: [],
    } as const;
    // All of 6 images changed one way: p = 2 / 2^6.
    expect(compared(earlier(1), of)).toMatchObject({
      outcome: "fail",
      worst: { before: 1, now: 0, fallen: 100, p: expect.closeTo(2 / 64, 12) },
      remarks: [],
    });
    expect(compared(earlier(0), of).outcome).toBe("pass");
    const errors = ["square() ended in an error: out of memory"];
    expect(compared(earlier(0), { ...of, errors })).toMatchObject({
      outcome: "undecided",
      text: expect.stringContaining(
        "no significant regression, but square() ended in an error: out of memory",
      ),
    });
    expect(compared(earlier(1), { ...of, errors }).outcome).toBe("fail");
    // Attacks that masking leads astray leave more than there is.
    for (const [verdict, why] of [
      ["masked", "gradients are masked"],
      ["invalid", "the audit is invalid"],
    ] as const) {
      expect(compared(earlier(0), { ...of, verdict })).toMatchObject({
        outcome: "undecided",
        text: expect.stringContaining(`no significant regression, but ${why} (McNemar`),
      });
      expect(compared(earlier(1), { ...of, verdict }).outcome).toBe("fail");
    }
    // Six images cannot show a regression of 5 points, so that none seen is no pass.
    expect(compared(earlier(0), { ...of, resolution: 5 })).toMatchObject({
      outcome: "undecided",
      text: expect.stringContaining("too few to tell a regression of 5 points from chance"),
    });
    expect(compared(earlier(1), { ...of, resolution: 5 }).outcome).toBe("fail");
    // Copies of an image, of which noise broke others: each is compared with itself.
    const copies = six.map((image, i) => ({ ...image, sha256: six[0]!.sha256, worst: i % 2 }));
    const before = now.perImage.map((image, i) => {
      return { ...image, sha256: six[0]!.sha256, correct: { clean: 1, worst: i % 2 } };
    });
    expect(compared({ ...now, draws: 1, perImage: before }, { ...of, images: copies })).toMatchObject({
      images: 6,
      worst: { before: 0.5, now: 0.5, fallen: 0, p: 1 },
    });
    const five = { ...of, images: six.slice(1), budget: { ...now.budget, steps: 5 } };
    expect(compared(earlier(1), five)).toMatchObject({
      outcome: "undecided",
      images: 5,
      worst: { p: expect.closeTo(2 / 32, 12) },
      remarks: ["the budgets differ: stronger attacks lower the worst case of the same model"],
    });
    expect(compared(earlier(1), { ...five, dataSha256: "0".repeat(64) }).remarks).toEqual([
      "5 images are in both audits; the others are left out",
      "the budgets differ: stronger attacks lower the worst case of the same model",
    ]);
    // Images of randomized models change by shares, of which McNemar's test knows nothing.
    const random = compared(earlier(0.5, 6), {
      ...{ ...of, draws: 6 },
      images: six.map((image, i) => ({ ...image, worst: i === 0 ? 1 / 3 : 0.5 })),
    });
    expect(random).toMatchObject({
      outcome: "pass",
      worst: { fallen: expect.closeTo(100 / 36, 6), p: null },
    });
    expect(random.worst.error).toBeGreaterThan(random.worst.fallen);
    expect(random.text).toMatch(
      /no significant regression \(before minus now, paired by image: 2\.8 \+- \d+\.\d points\)$/,
    );
    const same = await audit(model, images, { ...options, baseline: now, resolution: 100 });
    expect(same.outcome).toMatchObject({
      name: "pass",
      baseline: { images: 6, worst: { fallen: 0, p: null } },
    });
    const refused = (baseline: object) => expect(audit(model, images, { ...options, baseline })).rejects;
    await refused({ ...now, epsilon: 0.1 }).toThrow("is an audit within linf 0.1, not linf 8/255");
    await refused({ ...now, perImage: [] }).toThrow("no image of that audit is among those of this one");
    await refused({ verdict: 3 }).toThrow(
      "baseline: is no audit.json of sqa-audit/2: it has no field schema",
    );
  });

  it("turns to SARIF, JUnit XML and CycloneDX that fit the published schemas", async () => {
    await report.write(folder);
    const file = join(folder, "audit.json");
    const failing = join(folder, "failing.json");
    const json = report.toJSON();
    const { checklist } = json;
    const broken = checklist.map((line, i) => (i === 0 ? { ...line, outcome: "invalid" } : line));
    const named = { ...json, id: `${json.id}\u0001<&">`, checklist: broken, outcome: null };
    writeFileSync(failing, JSON.stringify(named));
    const [sarif, bom] = [sarifFaults(), cycloneDxFaults()];
    for (const path of [file, failing]) {
      expect(sarif(JSON.parse(await reportIn("sarif", path)))).toEqual([]);
      expect(bom(JSON.parse(await reportIn("cyclonedx", path)))).toEqual([]);
      expect(await junitFaults(await reportIn("junit", path))).toEqual([]);
    }
    // The validators see faults.
    expect(sarif({ version: "2.1.0", runs: [{}] })).not.toEqual([]);
    expect(bom({ bomFormat: "CycloneDX", specVersion: "1.6", components: [{}] })).not.toEqual([]);
    expect(await junitFaults("<testsuites><testsuite/></testsuites>")).not.toEqual([]);
    const { runs } = JSON.parse(await reportIn("sarif", failing));
    const found = runs[0].results.find(({ ruleId }: { ruleId: string }) => ruleId === broken[0]!.name);
    expect(found).toMatchObject({ level: "error", kind: "fail" });
    expect(await reportIn("junit", file)).toMatch(/<testcase name="criterion".*\n\s*<(failure|error) /);
  });

  it("turns to a page with its images, to a model card and to Markdown", async () => {
    await report.write(folder);
    // The chart library numbers its clips through.
    const unnumbered = (page: string) => page.replace(/clip\d+/g, "clip");
    const page = unnumbered(await reportIn("html", folder));
    expect(page === unnumbered(readFileSync(join(folder, "audit.html"), "utf8"))).toBe(true);
    const [, card] = (await reportIn("model-index", folder)).split("---\n");
    const [entry] = parse(card!)["model-index"];
    expect(entry.results[0].metrics[2]).toMatchObject({
      type: "accuracy",
      name: "robust accuracy, worst case of all attacks in the ball, linf 8/255",
      value: Number((100 * report.worst.accuracy).toFixed(2)),
    });
    const markdown = await reportIn("markdown", folder);
    expect(markdown).toContain(report.toJSON().evidence.data.manifestSha256);
    expect(markdown).not.toContain("<img");
    expect(markdown).toMatch(/^\| outcome +\| check +\| evidence +\|$/m);
    expect(page).toMatch(/\d+ checks? passed/);
    expect(page).toContain("<h2>Without an attack</h2>");
    for (const format of reportFormats) expect((await reportIn(format, folder)).length).toBeGreaterThan(500);
    rmSync(join(folder, "images", "worst.safetensors"));
    expect(await reportIn("html", folder)).toContain("The images are not beside this report.");
  });

  it("is read back, and refused where it is something else", async () => {
    await report.write(folder);
    expect(readAudit(folder).audit).toEqual(JSON.parse(JSON.stringify(report)));
    const other = join(folder, "other.json");
    const refused = (text: string) => {
      writeFileSync(other, text);
      return expect(() => readAudit(other));
    };
    refused("{").toThrow(`${other}: `);
    refused('{"model": "small"}').toThrow("it has no field schema; audit again");
    refused('{"schema": "sqa-audit/9"}').toThrow('its schema is "sqa-audit/9"');
    refused(JSON.stringify({ ...report.toJSON(), images: -1 })).toThrow(`${other}: images: `);
    refused(`${"[".repeat(100)}${"]".repeat(100)}`).toThrow(`${other}: `);
    expect(() => readAudit(join(folder, "nowhere"))).toThrow("nowhere: ");
  });

  it("leaves a log for TensorBoard beside the trials", () => {
    const logs = join(report.folder!, "tb");
    const [first] = readdirSync(logs).sort();
    const values = readEventFile(readFileSync(join(logs, first!))).flatMap((event) => event.values);
    const scalars = values.filter(({ tag }) => tag === "audit/accuracy");
    expect(scalars).toHaveLength(report.trials.length);
    expect(scalars[0]!.scalar).toBeCloseTo(report.clean.accuracy, 6);
    const lowest = values.filter(({ tag }) => tag === "audit/worst case so far").map(({ scalar }) => scalar!);
    expect(lowest.at(-1)).toBeCloseTo(report.worst.accuracy, 6);
    // Of a randomized model it is a mean that no luck lowers, so that it may rise a little between.
    expect(lowest.at(-1)!).toBeLessThanOrEqual(lowest[0]!);
    expect(values.find(({ tag }) => tag === "audit/verdict")!.text).toBe(report.verdict.text);
    expect(values.filter(({ image }) => image !== undefined)).toHaveLength(18);
  });

  it("takes away images of an earlier report of more", async () => {
    const files = await report.write(folder);
    const { worstImages } = report;
    expect(existsSync(join(files.images, "00005.png"))).toBe(true);
    expect(worstImages).toHaveLength(6);
    const fewer = await audit(small(), splitFor(small(), new Uint8Array(784), Uint8Array.of(0)), {
      epsilon: 0.1,
      budget,
    });
    await fewer.write(folder);
    expect(readdirSync(files.images).sort()).toEqual(["00000.png", "worst.safetensors"]);
  });

  it("replaces and takes away nothing that no report wrote", async () => {
    const other = join(folder, "other");
    mkdirSync(join(other, "images"), { recursive: true });
    const far = join(other, "images", "12345.png");
    writeFileSync(far, "mine");
    for (const name of ["audit.json", "audit.html", "SHA256SUMS", join("images", "00003.png")]) {
      writeFileSync(join(other, name), "mine");
      const refusal = `${join(other, name)} is there already, is no result that this version of sqa reads`;
      await expect(report.write(other)).rejects.toThrow(refusal);
      expect(readFileSync(join(other, name), "utf8")).toBe("mine");
      rmSync(join(other, name));
    }
    writeFileSync(join(other, "audit.html"), "mine");
    await report.write(other, { replace: true });
    await report.write(other);
    expect(readFileSync(far, "utf8")).toBe("mine");
    // A picture that an earlier report of fewer images does not name is not its own.
    const fewer = await audit(small(), splitFor(small(), new Uint8Array(784), Uint8Array.of(0)), {
      epsilon: 0.1,
      budget,
    });
    const third = join(other, "images", "00003.png");
    await fewer.write(other);
    writeFileSync(third, "mine");
    await fewer.write(other);
    await expect(report.write(other)).rejects.toThrow(`${third} is there already`);
    expect(readFileSync(third, "utf8")).toBe("mine");
  });

  it("fits a terminal's width, tells why, and is painted as asked", () => {
    for (const width of [80, 120]) {
      const lines = report.text({ width }).split("\n");
      expect(lines.filter((line) => visibleWidth(line) > width)).toEqual([]);
    }
    const [verdict, ...rest] = report.text({ width: 400 }).split("\n");
    expect(verdict).toBe(report.verdict.text);
    expect(rest[0]).toMatch(/^ {2}because /);
    expect(rest.join("\n")).toContain("worst case, correct in each of 6 draws");
    const mark = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
    const colors = Object.fromEntries(
      ["bold", "dim", "green", "red", "yellow"].map((name) => [name, mark(name)]),
    );
    const painted = report.text({ width: 400, colors: colors as never });
    expect(painted).toContain("<green>passed  </green> ");
    expect(painted).toContain("<dim>skipped </dim> ");
    // Failures come first, passes last, and their evidence only where it is asked for.
    const outcomes = [...painted.matchAll(/^<\w+>(\w+) +<\/\w+> /gm)].map(([, outcome]) => outcome!);
    const order = ["invalid", "masked", "noted", "skipped", "passed"];
    const places = outcomes.map((outcome) => order.indexOf(outcome));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    const passed = report.lines.find(({ outcome }) => outcome === "passed")!;
    expect(painted).not.toContain(passed.evidence);
    expect(report.text({ width: 400, verbose: true })).toContain(passed.evidence);
  });

  it("names attacks briefly in a terminal, and in full where it is asked to", () => {
    const json = report.toJSON();
    const evidence = "pgd(epsilon=0.3, steps=20) on surrogate:mean ended in an error: no memory";
    const [first, ...others] = json.checklist;
    const failed = {
      ...json,
      checklist: [{ ...first!, outcome: "skipped" as const, evidence }, ...others],
      verdict: { ...json.verdict, text: `invalid: ${evidence}`, reasons: [{ text: evidence }] },
    };
    const shown = (verbose: boolean) => reportText(failed, { width: 400, verbose });
    // In the verdict and on its line of the checklist; not once more as its reason.
    expect(shown(false).match(/PGD-20, eps 0.3 on surrogate:mean ended/g)).toHaveLength(2);
    expect(shown(false)).not.toContain("pgd(");
    expect(shown(true).split(evidence)).toHaveLength(3);
  });

  it("draws no images of two channels, and writes them all the same", async () => {
    const two = await audited(quantizedCnn, goldenSplit(quantizedCnn));
    const files = await two.write(join(folder, "two"));
    expect(readdirSync(files.images)).toEqual(["worst.safetensors"]);
    expect(readFileSync(files.html, "utf8")).toContain("<br>0: label");
    // A classifier of a user's own has no weights that anybody could hash.
    expect(two.toJSON().evidence.model).toMatchObject({ weightsSha256: null, parameters: null });
    expect(auditFaults()(JSON.parse(JSON.stringify(two)))).toEqual([]);
  });
});
