import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { imageIdRange, scope, tensor } from "../../src/engine/index.js";
import { exportOnnx, small } from "../../src/models/index.js";
import { browserPath, launch, watchedPage } from "../dashboard/browser.js";

/** Folder of onnxruntime-web, which is no part of this package: installed beside it, or named. */
function runtimeFolder(): string | undefined {
  const named = process.env.SQA_ONNXRUNTIME_WEB;
  if (named !== undefined) return named;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve("onnxruntime-web")));
  } catch {
    process.stderr.write(
      "no onnxruntime-web: the test of its page is skipped (npm install onnxruntime-web in a folder, and " +
        "SQA_ONNXRUNTIME_WEB=FOLDER/node_modules/onnxruntime-web)\n",
    );
    return undefined;
  }
}

const runtime = browserPath === undefined ? undefined : runtimeFolder();
const folder = mkdtempSync(join(tmpdir(), "sqa-onnx-web-"));
const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
let server: Server;
let place: string;

beforeAll(async () => {
  if (runtime === undefined) return;
  cpSync(fileURLToPath(new URL("../../examples/onnx-web", import.meta.url)), folder, { recursive: true });
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(runtime, join(folder, "node_modules", "onnxruntime-web"));
  server = createServer(({ url = "/" }, response) => {
    const path = join(folder, normalize(new URL(url, "http://localhost").pathname));
    if (!existsSync(path) || !statSync(path).isFile()) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": types[extname(path)] ?? "application/octet-stream" });
    response.end(readFileSync(path));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  place = `http://127.0.0.1:${(server.address() as AddressInfo).port}/index.html`;
});
afterAll(() => {
  server?.close();
  rmSync(folder, { recursive: true });
});

describe.skipIf(runtime === undefined)("the page that runs an exported model", { timeout: 300_000 }, () => {
  test("shows the model's logits of what is drawn", async () => {
    const model = small().build({ seed: 3 });
    exportOnnx(model, join(folder, "model.onnx"), { noiseFree: true });
    const browser = await launch();
    try {
      const { page, errors } = await watchedPage(await browser.newContext());
      await page.goto(place);
      const answer = page.locator("#answer");
      await expect.poll(() => answer.textContent(), { timeout: 120_000 }).toBe("draw");
      const box = (await page.locator("#pad").boundingBox())!;
      await page.mouse.move(box.x + 80, box.y + 60);
      await page.mouse.down();
      await page.mouse.move(box.x + 200, box.y + 60, { steps: 5 });
      await page.mouse.move(box.x + 120, box.y + 220, { steps: 5 });
      await page.mouse.up();
      // One more move, since one that comes while the model runs is passed over.
      await expect.poll(() => answer.textContent(), { timeout: 60_000 }).toMatch(/^class \d\n0: /);
      await page.waitForTimeout(1000);
      await page.mouse.down();
      await page.mouse.move(box.x + 121, box.y + 221);
      await page.mouse.up();
      await page.waitForTimeout(2000);
      const pixels = (await page.evaluate(
        "Array.from(document.getElementById('pad').getContext('2d').getImageData(0, 0, 28, 28).data)",
      )) as number[];
      const image = Float32Array.from({ length: 784 }, (_, i) => pixels[4 * i]! / 255);
      expect(image.some((value) => value > 0)).toBe(true);
      const noise = { seed: { low: 0, high: 0 }, draw: 0, imageIds: imageIdRange(0, 1) };
      const logits = scope(() =>
        model
          .classifier()
          .logits(tensor(image, [1, 1, 28, 28]), noise)
          .toNumbers(),
      );
      const shown = [...(await answer.textContent())!.matchAll(/^\d: (-?[\d.]+) ± ([\d.]+)$/gm)];
      expect(shown).toHaveLength(10);
      for (const [label, [, mean, deviation]] of shown.entries()) {
        expect(Math.abs(Number(mean) - logits[label]!)).toBeLessThan(0.011);
        expect(deviation).toBe("0.00");
      }
      expect(errors).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
