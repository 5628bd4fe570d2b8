import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditSummary, Job, RunPage } from "../../src/server/api.js";
import { epoch, Served, writeRun } from "../server/served.js";
import { writeDigits } from "../training/digits-folder.js";
import { browserPath, expectToFit, launch, seriousFaults, watchedPage } from "./browser.js";

const program = [process.execPath, fileURLToPath(new URL("../../bin/sqa.mjs", import.meta.url))] as const;
const hostile = '<img src=x onerror="document.title=1">';
/** Folder for pictures of the page; none are kept where it is not given. */
const pictures = process.env.SQA_SCREENSHOTS;
const minutes = 60_000;

let served: Served;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let errors: string[];
let images: string;

const go = (hash: string) => page.goto(`${served.origin}/#/${hash}`);
const runs = async () => (await served.json<RunPage>("/api/runs?sort=name&limit=200")).runs;
const runOf = async (method: string) => (await runs()).find((run) => run.method.startsWith(method))!.name;

async function until<T>(find: () => Promise<T | undefined | false>, limit = 5 * minutes): Promise<T> {
  const end = Date.now() + limit;
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`not within ${limit / 1000} s; jobs: ${await jobLogs()}`);
    await new Promise((done) => setTimeout(done, 200));
  }
}

async function jobLogs(): Promise<string> {
  return (await served.json<Job[]>("/api/jobs")).map(({ kind, log }) => `${kind}: ${log}`).join("\n");
}

/** Begins work by the form of the view of work. */
async function begin(hash: string, config: string): Promise<void> {
  await go(hash);
  const before = (await served.json<Job[]>("/api/jobs")).length;
  await page.getByLabel("Configuration (YAML)").fill(config);
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByRole("region", { name: /begun/ }).nth(before).waitFor();
}

const training = (method: string, more: string) => `model: small
images: "mnist(folder=${images}, checksums=false)"
method: ${method}
defense: sqa
validation-images: 40
batch-size: 50
threads: 1
${more}
`;

async function picture(name: string): Promise<void> {
  if (pictures === undefined) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`) });
  if (!name.startsWith("run-1280")) return;
  const shown = page.getByRole("region", { name: "Images under attack" });
  await shown.screenshot({ path: join(pictures, `${name.replace("run", "run-images")}.png`) });
}

/** Server of the same runs as a process of the command line, and the address that it prints. */
async function serverProcess(port: number): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const [node, ...words] = [...program, "dashboard", "--runs", served.runs, "--port", String(port)];
  const env = { ...process.env, XDG_STATE_HOME: join(served.top, "state-of-processes") };
  const child = spawn(node!, words, { env, stdio: ["ignore", "pipe", "ignore"] });
  child.stdout!.setEncoding("utf8");
  const [line] = (await once(child.stdout!, "data")) as [string];
  return { child, url: line.trim() };
}

/** Attacks the image that the playground begins with. */
async function attackShown(): Promise<void> {
  await page.getByRole("button", { name: "Attack" }).click();
  await page.getByRole("region", { name: "Outcome" }).waitFor();
}

/** Number of pictures under attack that the page has loaded. */
const loaded = `[...document.querySelectorAll(".attacked img")]
  .filter((image) => image.complete && image.naturalWidth > 0).length`;

/** Step that the curves of the shown run have come to. */
async function reach(): Promise<number> {
  const chart = page.getByRole("img", { name: /^Accuracy on validation images/ });
  return Number(/up to (\d+)/.exec((await chart.getAttribute("aria-label")) ?? "")?.[1] ?? 0);
}

describe.skipIf(browserPath === undefined)("the page", () => {
  beforeAll(async () => {
    served = await Served.start({ program });
    const models = join(served.top, "models");
    mkdirSync(models);
    const exported = fileURLToPath(new URL("../fixtures/exported/mnist.pt2", import.meta.url));
    copyFileSync(exported, join(models, "mnist.pt2"));
    await served.dashboard.close();
    await served.restart({ program, models });
    for (const name of ["table1.json", "table1.md", "figure1.json", "figure1.png"])
      copyFileSync(
        fileURLToPath(new URL(`../../results/${name}`, import.meta.url)),
        join(served.results, name),
      );
    images = writeDigits(served.top, { train: 400, test: 60 });
    writeRun(served.runs, hostile, { model: hostile, events: [epoch(1)] });
    browser = await launch();
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    ({ page, errors } = await watchedPage(context));
  }, 5 * minutes);
  afterAll(async () => {
    await browser?.close();
    for (const { id } of await served.json<Job[]>("/api/jobs")) await served.post(`/api/jobs/${id}/stop`, {});
    await served?.[Symbol.asyncDispose]();
  });

  it(
    "opens by the printed address, without the token in it afterwards",
    async () => {
      await page.goto(served.dashboard.url);
      await page.getByRole("heading", { name: "Runs" }).waitFor();
      expect(page.url()).toBe(`${served.origin}/`);
      await page.getByText("live", { exact: true }).waitFor();
    },
    3 * minutes,
  );

  it(
    "shows a run's name that is markup as text",
    async () => {
      await page.getByRole("link", { name: hostile }).click();
      await page.getByRole("heading", { name: hostile }).waitFor();
      expect(await page.locator("main img").count()).toBe(0);
      expect(await page.title()).not.toBe("1");
    },
    3 * minutes,
  );

  it(
    "begins a training, which appears in the list and is followed live",
    async () => {
      await begin("work", training("n-fgsm(epsilon=0.1)", "epochs: 400\nschedule: constant(peak=0.02)"));
      await go("runs");
      await page.getByRole("link", { name: /n-fgsm/ }).waitFor();
      await page.getByRole("link", { name: /n-fgsm/ }).click();
      const first = await until(async () => (await reach()) || undefined);
      await until(async () => (await reach()) > first);
      await page.getByRole("img", { name: /^Learning rate, up to/ }).waitFor();
    },
    8 * minutes,
  );

  it(
    "stops it, and goes on with it",
    async () => {
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByRole("button", { name: "Go on" }).click();
      await page.getByText("running", { exact: true }).waitFor();
      await until(async () => (await reach()) > 150);
      expect((await served.json<Job[]>("/api/jobs")).map(({ kind }) => kind)).toEqual(["train", "train"]);
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByText("stopped", { exact: true }).waitFor();
    },
    8 * minutes,
  );

  it(
    "shows an alarm as it comes, in the run and in the list",
    async () => {
      const begun = training("fgsm(epsilon=0.1)", "epochs: 2\nschedule: constant(peak=1000000)");
      await begin("work", begun);
      await go("runs");
      await page.getByRole("link", { name: /sqa-fgsm-/ }).click();
      await page.getByRole("region", { name: "Alarms" }).waitFor();
      await go("runs");
      await page.getByLabel("State").selectOption("alarm");
      await page.getByRole("row", { name: /sqa-fgsm-.*loss-not-finite/ }).waitFor();
      await page.getByRole("link", { name: hostile }).waitFor({ state: "detached" });
    },
    8 * minutes,
  );

  it(
    "compares two runs by their curves and configurations",
    async () => {
      await page.getByLabel("State").selectOption("");
      for (const name of [/compare .*n-fgsm/, /compare .*sqa-fgsm/]) await page.getByLabel(name).check();
      await page.getByRole("link", { name: "Compare 2 runs" }).click();
      const differences = page.getByRole("region", { name: "Differences" });
      await differences.getByText("constant(peak=1000000)").waitFor();
      await differences.getByText("constant(peak=0.02)").waitFor();
      expect(await page.getByRole("img", { name: /A: clean/ }).count()).toBe(1);
    },
    5 * minutes,
  );

  it(
    "filters and sorts the list",
    async () => {
      await go("runs");
      await page.getByLabel("Filter").fill("n-fgsm");
      await page.getByText("1 to 1 of 1").waitFor();
      await page.getByLabel("Filter").fill("");
      await page.getByRole("button", { name: "run", exact: true }).click();
      await until(async () =>
        (await page.locator("th[aria-sort='descending']").textContent())?.startsWith("run"),
      );
    },
    5 * minutes,
  );

  it(
    "finishes a run, attacks one of its images, and shows the spread over draws",
    async () => {
      await begin("work", training("fgsm-rs(epsilon=0.1)", "epochs: 10"));
      const finished = async () =>
        (await runs()).some((run) => run.name.includes("fgsm-rs") && run.state === "finished");
      await until(finished, 8 * minutes);
      await go(`runs/${encodeURIComponent(await runOf("fgsm-rs"))}`);
      await page.getByRole("link", { name: "Attack an image" }).click();
      await page.getByLabel("Position").fill("3");
      await page.getByRole("slider", { name: /^Epsilon/ }).fill("51");
      await page.getByRole("button", { name: "Attack" }).click();
      const outcome = page.getByRole("region", { name: "Outcome" });
      await outcome.getByText("largest change").waitFor();
      expect(await outcome.locator("canvas").count()).toBe(3);
      await outcome.getByText(/the mean over 100 draws/).waitFor();
      // Written as gray levels, as the slider's own radius is.
      await page.getByText("Epsilon: 51/255").waitFor();
      const change = await outcome.locator("dt:text-is('largest change') + dd").textContent();
      const [levels, of = "1"] = change!.split("/");
      expect(Number(levels) / Number(of)).toBeGreaterThan(0.1);
      expect(Number(levels) / Number(of)).toBeLessThanOrEqual(0.2001);
      expect(await seriousFaults(page)).toEqual([]);
    },
    15 * minutes,
  );

  it(
    "attacks a drawing",
    async () => {
      await page.getByLabel("my drawing").check();
      const canvas = page.getByRole("application");
      const box = (await canvas.boundingBox())!;
      await page.mouse.move(box.x + 60, box.y + 60);
      await page.mouse.down();
      await page.mouse.move(box.x + 60, box.y + 160, { steps: 5 });
      await page.mouse.up();
      await page.getByLabel("Its class").selectOption("1");
      await page.getByRole("button", { name: "Attack" }).click();
      await page.getByRole("heading", { name: /^1 → / }).waitFor();
      expect(await page.getByRole("alert").count()).toBe(0);
    },
    5 * minutes,
  );

  it(
    "attacks an exported model, with a picture of the reader's",
    async () => {
      await page
        .locator("label", { hasText: /^Model/ })
        .locator("select")
        .selectOption("models mnist.pt2");
      await page.getByLabel("a picture of mine").check();
      await page.getByText("it becomes 28 x 28 pixels").waitFor();
      const files = join(served.runs, await runOf("fgsm-rs"), "images");
      const [first] = readdirSync(files).filter((name) => name.endsWith(".png"));
      await page.getByLabel(/^PNG, JPEG or WebP/).setInputFiles(join(files, first!));
      await page.getByLabel("Its class").selectOption("");
      await page.getByRole("button", { name: "Attack" }).click();
      await page.getByRole("heading", { name: /^\d → \d/ }).waitFor();
      await page.getByText("Class probabilities", { exact: true }).waitFor();
      expect(await page.getByRole("alert").count()).toBe(0);
      expect(await seriousFaults(page)).toEqual([]);
    },
    5 * minutes,
  );

  it(
    "shows the images under attack of a run's last epoch, and enlarges one",
    async () => {
      await go(`runs/${encodeURIComponent(await runOf("fgsm-rs"))}`);
      const shown = page.getByRole("region", { name: "Images under attack" });
      await shown.getByRole("heading", { name: "Images under attack after epoch 10" }).waitFor();
      expect(await shown.locator("b").allTextContents()).toEqual(
        Array.from({ length: 8 }, () => expect.stringMatching(/^\d → \d$/)),
      );
      await until(async () => (await page.evaluate(loaded)) === 8);
      const button = shown.getByRole("button", { name: /^enlarge/ }).first();
      const width = async () => (await button.boundingBox())!.width;
      const before = await width();
      await button.click();
      expect(await width()).toBeGreaterThan(2 * before);
      await button.press("Enter");
      expect(await width()).toBe(before);
      expect(await seriousFaults(page)).toEqual([]);
    },
    5 * minutes,
  );

  it(
    "follows an audit attack by attack, to its report",
    async () => {
      const run = encodeURIComponent(await runOf("fgsm-rs"));
      await begin(`work?run=${run}`, "budget: quick\nlimit: 2\nepsilon: 0.1\nthreads: 1\n");
      await go("audits");
      // Its time is estimated first, which takes minutes on a busy machine.
      const patience = { timeout: 8 * minutes };
      await page.getByRole("link", { name: /^audit-quick/ }).click(patience);
      const attacks = page.getByRole("region", { name: "Attacks" });
      await attacks.getByRole("rowheader", { name: "clean", exact: true }).waitFor(patience);
      await until(async () => (await attacks.getByText(/^PGD-/).count()) > 0);
      await page.getByText("time left, about").waitFor();
      const frame = page.frameLocator("iframe");
      await frame
        .locator("body")
        .getByText(/verdict|worst|images/i)
        .first()
        .waitFor({ timeout: 15 * minutes });
      expect(await seriousFaults(page)).toEqual([]);
    },
    30 * minutes,
  );

  it(
    "shows the paper's tables and figures that were made",
    async () => {
      await go("paper");
      await page.getByText("table1", { exact: true }).click();
      expect(
        await page.getByRole("region", { name: "table table1" }).first().locator("tr").count(),
      ).toBeGreaterThan(4);
      await page.getByText("figure1", { exact: true }).click();
      await page.getByAltText("figure1").scrollIntoViewIfNeeded();
      const width = "document.querySelector('img.figure').naturalWidth";
      await until(async () => Number(await page.evaluate(width)) > 0, minutes);
    },
    3 * minutes,
  );

  it(
    "has no serious faults for readers with aids, light and dark, and fits a phone",
    async () => {
      const run = `runs/${encodeURIComponent(await runOf("n-fgsm"))}`;
      const [found] = await served.json<AuditSummary[]>("/api/audits");
      const audit = ["audits", found!.run, found!.name].map(encodeURIComponent).join("/");
      const compared = [await runOf("n-fgsm"), await runOf("fgsm-rs")].map((name): [string, string] => [
        "run",
        name,
      ]);
      const compare = `compare?${new URLSearchParams(compared)}`;
      const views = ["runs", run, "audits", audit, "paper", "playground", "work", compare];
      const names = ["runs", "run", "audits", "audit", "paper", "playground", "work", "compare"];
      for (const colorScheme of ["light", "dark"] as const) {
        for (const width of [1280, 390]) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
          for (const [i, view] of views.entries()) {
            await go(view);
            await page.locator("h1").waitFor();
            await page.waitForLoadState("networkidle", { timeout: 2000 }).catch(() => {});
            expect([view, width, await seriousFaults(page)]).toEqual([view, width, []]);
            await expectToFit(page);
            if (names[i] === "playground") await attackShown();
            await picture(`${names[i]}-${width}-${colorScheme}`);
          }
        }
      }
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize({ width: 1280, height: 900 });
    },
    20 * minutes,
  );

  it(
    "is used by keyboard alone, with the focus to be seen",
    async () => {
      await go("paper");
      await page.reload();
      await page.locator("h1").waitFor();
      const focused = () =>
        page.evaluate("document.activeElement.textContent.trim().slice(0, 40)") as Promise<string>;
      const tabTo = async (wanted: RegExp | string, most = 40) => {
        for (let i = 0; i < most; i++) {
          await page.keyboard.press("Tab");
          const text = await focused();
          if (typeof wanted === "string" ? text === wanted : wanted.test(text)) return;
        }
        throw new Error(`no tab leads to ${wanted}`);
      };
      await tabTo("To the content");
      await tabTo("Runs");
      const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
      expect(outline).toBe("solid");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Runs" }).waitFor();
      await page.getByRole("link", { name: /n-fgsm/ }).waitFor();
      await tabTo(/^method/);
      await page.keyboard.press("Enter");
      await until(async () =>
        (await page.locator("th[aria-sort='descending']").textContent())?.startsWith("method"),
      );
      await tabTo(/sqa-n-fgsm/);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: /n-fgsm/ }).waitFor();
      await tabTo("Go on");
    },
    5 * minutes,
  );

  it(
    "finds its way back to a server that was killed and started again",
    async () => {
      await go("runs");
      await page.getByText("live", { exact: true }).waitFor();
      const { port } = served.dashboard;
      await served.dashboard.close();
      await page.getByText("the server does not answer", { exact: false }).first().waitFor();
      writeRun(served.runs, "while-it-was-away", { events: [epoch(1)] });
      await served.restart({ program, port });
      await page.getByRole("link", { name: "while-it-was-away" }).waitFor();
      await page.getByText("live", { exact: true }).waitFor();
    },
    5 * minutes,
  );

  it(
    "finds its way back to a server whose process was killed",
    async () => {
      const own = await context.newPage();
      const first = await serverProcess(0);
      await own.goto(first.url);
      await own.getByText("live", { exact: true }).waitFor();
      const { port } = new URL(first.url);
      first.child.kill("SIGKILL");
      await own.getByText("the server does not answer", { exact: false }).first().waitFor();
      writeRun(served.runs, "while-it-was-dead", { events: [epoch(1)] });
      const second = await serverProcess(Number(port));
      await own.getByRole("link", { name: "while-it-was-dead" }).waitFor();
      await own.getByText("live", { exact: true }).waitFor();
      second.child.kill("SIGKILL");
      await own.close();
    },
    5 * minutes,
  );

  it("had no error and nothing that the server's rules forbade", () => {
    expect(errors).toEqual([]);
  });

  it(
    "keeps a stranger's page out, which the same browser shows",
    async () => {
      const target = served.origin;
      const source = `<form method="post" action="${target}/api/jobs" enctype="text/plain"><input name='{"kind":"train","config":"a' value='"}'></form>
      <iframe src="${target}/"></iframe><script>
        const tell = (name, work) => work.then(() => "read", () => "refused").then((told) => { window.told[name] = told; });
        window.told = {};
        const json = { method: "POST", credentials: "include", body: JSON.stringify({ kind: "train", config: "model: small" }) };
        Promise.all([
          tell("get", fetch("${target}/api/runs", { credentials: "include" })),
          tell("post", fetch("${target}/api/jobs", { ...json, headers: { "Content-Type": "application/json" } })),
          tell("blind", fetch("${target}/api/jobs", { ...json, mode: "no-cors" })),
        ]).then(() => { window.done = true; });
      </script>`;
      const stranger = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end(source));
      await new Promise<void>((done) => stranger.listen(0, "127.0.0.1", done));
      const before = (await served.json<Job[]>("/api/jobs")).length;
      const other = await context.newPage();
      await other.goto(`http://127.0.0.1:${(stranger.address() as AddressInfo).port}/`);
      await other.waitForFunction("window.done === true");
      expect(await other.evaluate("window.told")).toEqual({
        get: "refused",
        post: "refused",
        blind: "refused",
      });
      await other.evaluate("document.forms[0].submit()");
      await other.waitForLoadState();
      expect((await served.json<Job[]>("/api/jobs")).length).toBe(before);
      await other.close();
      stranger.close();
    },
    3 * minutes,
  );
});
