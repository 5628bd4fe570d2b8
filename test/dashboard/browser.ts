import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import { programOnPath } from "../../scripts/setup/command.mjs";

/** Chromium of this machine; undefined where there is none. */
export const browserPath = ["chromium", "chromium-browser", "google-chrome"]
  .map((name) => programOnPath(name))
  .find((path) => path !== undefined);

if (browserPath === undefined)
  process.stderr.write(
    "no chromium on PATH: tests of the dashboard's page are skipped (apt-get install chromium)\n",
  );

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: browserPath!, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** Serious faults that axe-core finds in a page, as text. */
export async function seriousFaults(page: Page): Promise<string[]> {
  // By the debugger, which the page's rules do not bind.
  await page.evaluate(axe);
  const { violations } = (await page.evaluate("axe.run(document, { iframes: false })")) as AxeResults;
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}

/** Page that tells of errors: of scripts, and of what the server's rules forbade. */
export async function watchedPage(context: BrowserContext): Promise<{ page: Page; errors: string[] }> {
  const page = await context.newPage();
  page.setDefaultTimeout(170_000);
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource|ERR_CONNECTION/.test(message.text()))
      errors.push(message.text());
  });
  return { page, errors };
}

/** Fails where a page is wider than its window. */
export async function expectToFit(page: Page): Promise<void> {
  const { wide, window } = (await page.evaluate(
    "({ wide: document.documentElement.scrollWidth, window: innerWidth })",
  )) as { wide: number; window: number };
  expect(wide).toBeLessThanOrEqual(window);
}
