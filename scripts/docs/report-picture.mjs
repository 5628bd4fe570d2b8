// Makes docs/report.png, the README's picture: trains SMALL with SQA on MNIST, audits it on 50 images, and takes a
// picture of the report in Debian's Chromium. `npm run docs:picture`; with a folder of an audit, of that one.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { programOnPath } from "../setup/command.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const picture = join(root, "docs", "report.png");
/** Size that the README shows without taking long to load. */
const mostBytes = 250_000;
const size = { width: 1100, height: 660 };

/** Runs `sqa` and returns what it prints. @param {string} folder @param {string[]} args */
function sqa(folder, args) {
  const command = [join(root, "bin", "sqa.mjs"), ...args];
  const { status, stdout } = spawnSync(process.execPath, command, {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`sqa ${args.join(" ")}: exit code ${status}`);
  return stdout.trim();
}

/** Trains and audits; returns the audit's folder. @param {string} folder */
function makeAudit(folder) {
  const train = ["train", "--preset", "mnist-short", "--sqa", "--limit", "20000", "--quiet"];
  const run = sqa(folder, train);
  sqa(folder, ["audit", run, "--budget", "quick", "--limit", "50", "--quiet"]);
  const report = readdirSync(join(folder, run), { recursive: true, encoding: "utf8" }).find(
    (name) => basename(name) === "audit.html",
  );
  if (report === undefined) throw new Error("the audit wrote no audit.html");
  return join(folder, run, dirname(report));
}

/** Takes the top of a report. @param {string} audit */
async function takePicture(audit) {
  const executablePath = ["chromium", "chromium-browser", "google-chrome"]
    .map((name) => programOnPath(name))
    .find((path) => path !== undefined);
  if (executablePath === undefined) throw new Error("there is no chromium on PATH: apt-get install chromium");
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  try {
    const page = await browser.newPage({ viewport: size, colorScheme: "light" });
    await page.goto(pathToFileURL(join(audit, "audit.html")).href);
    await page.evaluate("document.fonts.ready");
    const png = await page.screenshot();
    await sharp(png).png({ palette: true, compressionLevel: 9, effort: 10 }).toFile(picture);
  } finally {
    await browser.close();
  }
}

const folder = mkdtempSync(join(tmpdir(), "sqa-picture-"));
try {
  await takePicture(process.argv[2] ?? makeAudit(folder));
} finally {
  rmSync(folder, { recursive: true });
}
const { size: bytes } = statSync(picture);
if (bytes > mostBytes) throw new Error(`docs/report.png has ${bytes} bytes; ${mostBytes} at most`);
