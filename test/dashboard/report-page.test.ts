import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit } from "../../src/evaluation/index.js";
import { small } from "../../src/models/index.js";
import { budget } from "../evaluation/audit/tiny-audit.js";
import { splitFor } from "../evaluation/splits.js";
import { browserPath, expectToFit, launch, seriousFaults, watchedPage } from "./browser.js";

const pictures = process.env.SQA_SCREENSHOTS;

describe.skipIf(browserPath === undefined)("the page of a report", { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sqa-report-page-"));
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let errors: string[];

  beforeAll(async () => {
    const pixels = Uint8Array.from({ length: 2 * 784 }, (_, i) => (i * i) % 251);
    const images = splitFor(small(), pixels, Uint8Array.of(0, 1));
    const { curve: _, ...few } = budget;
    const report = await audit(small(), images, { epsilon: 2 / 255, budget: few });
    const { html } = await report.write(folder);
    browser = await launch();
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    ({ page, errors } = await watchedPage(context));
    await page.goto(pathToFileURL(html).href);
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  const shade = (selector: string, property: "color" | "backgroundColor") =>
    page.evaluate(
      `getComputedStyle(document.querySelector(${JSON.stringify(selector)})).${property}
        .match(/\\d+/g).slice(0, 3).reduce((sum, one) => sum + Number(one), 0) / 3`,
    ) as Promise<number>;

  it.each(["light", "dark"] as const)(
    "is without serious faults and fits, wide and on a phone: %s",
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
        expect([width, await seriousFaults(page)]).toEqual([width, []]);
        await expectToFit(page);
        if (pictures === undefined) continue;
        mkdirSync(pictures, { recursive: true });
        await page.screenshot({ path: join(pictures, `report-${width}-${colorScheme}.png`) });
      }
      const [ink, paper] = [await shade("body", "color"), await shade("body", "backgroundColor")];
      expect(colorScheme === "dark" ? paper < 60 && ink > 190 : paper > 240 && ink < 80).toBe(true);
    },
  );

  it("is printed dark on white, with all that was folded, whatever the screen is", async () => {
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect([await shade("body", "color"), await shade("body", "backgroundColor")]).toEqual([0, 255]);
    const hidden = (await page.evaluate(`[...document.querySelectorAll("details > :not(summary)")]
      .filter((one) => one.getClientRects().length === 0).length`)) as number;
    expect(hidden).toBe(0);
    expect(await seriousFaults(page)).toEqual([]);
    const pdf = await page.pdf({ format: "A4" });
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
    await page.emulateMedia({ media: "screen", colorScheme: "light" });
  });

  it("writes radii as gray levels, also on the axis of the chart", async () => {
    await page.setViewportSize({ width: 1280, height: 900 });
    const texts = (await page.locator("svg text").allTextContents()).filter((text) => /^\d/.test(text));
    expect(texts).toContain("2/255");
    const shown = (await page.locator("body").textContent()) ?? "";
    expect(shown).toContain("radius 2/255");
    expect(shown).not.toContain(String(2 / 255).slice(0, 8));
  });

  it("says what each image was taken for, and enlarges it on a click and by keyboard", async () => {
    const [figure] = await page.locator("figure").all();
    expect(await figure!.locator("strong").textContent()).toMatch(/^\S+ -> \S+$/);
    const width = async () => (await figure!.locator("img").first().boundingBox())!.width;
    const before = await width();
    await figure!.locator("label").click();
    expect(await width()).toBeGreaterThan(2 * before);
    await figure!.locator("input").press("Space");
    expect(await width()).toBe(before);
    expect(errors).toEqual([]);
  });
});
