// The archives that a GPU machine needs, each cut into parts that are small enough to be carried one by one.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { runOrFail } from "../scripts/setup/command.mjs";
import { SetupError, say, timed } from "../scripts/setup/progress.mjs";
import { checkout } from "../scripts/setup/set-up.mjs";
import { readJson, writeJson } from "../scripts/setup/stamp.mjs";
import { packRecords } from "./packed-records.mjs";

/** The largest part, with room for whoever counts 60 MiB otherwise. */
const partBytes = 56 * 2 ** 20;

/** Parts of the program, below the checkout; docs and tests stay at home. */
const program = [
  "bin",
  "dist",
  "native",
  "scripts/setup",
  "scripts/setup.mjs",
  "gpu/packed-records.mjs",
  "gpu/unpack-data.mjs",
  "package.json",
  "LICENSE",
];

/**
 * The packages that run the program, as folders: those of package-lock.json that are not for development.
 * @param {string} root
 */
export function productionModules(root) {
  /** @type {Record<string, { dev?: boolean }>} */
  const packages = readJson(join(root, "package-lock.json"))?.packages ?? {};
  return Object.entries(packages)
    .filter(
      ([folder, { dev }]) =>
        folder.startsWith("node_modules/") && dev !== true && existsSync(join(root, folder)),
    )
    .map(([folder]) => folder);
}

/** A folder as compressed tar; the same files give the same bytes. @param {string} folder */
function archive(folder) {
  const same = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  const file = join(folder, "..", "archive.tar");
  runOrFail("pack-gpu: tar failed; its last lines stand above", "tar", [
    "-cf",
    file,
    ...same,
    "-C",
    folder,
    ".",
  ]);
  const bytes = gzipSync(readFileSync(file), { level: 9 });
  rmSync(file);
  return bytes;
}

/**
 * A file of CIFAR-10 in a folder, or in the one that the official archive has. @param {string} folder @param
 * {string} name
 */
function batchFile(folder, name) {
  const places = [join(folder, name), join(folder, "cifar-10-batches-bin", name)];
  return places.find((place) => existsSync(place));
}

/**
 * Fills a folder with what an archive holds. @type {Record<string, (folder: string, cifar10: string |
 * undefined) => void>}
 */
const contents = {
  node: (folder) => {
    mkdirSync(join(folder, "bin"));
    cpSync(process.execPath, join(folder, "bin", "node"));
  },
  modules: (folder) => {
    for (const module of productionModules(checkout)) {
      // A package's own packages are entries of their own.
      const nested = join(checkout, module, "node_modules");
      cpSync(join(checkout, module), join(folder, module), {
        recursive: true,
        filter: (path) => path !== nested,
      });
    }
  },
  program: (folder) => {
    for (const name of program) cpSync(join(checkout, name), join(folder, name), { recursive: true });
    writeJson(join(folder, "packed.json"), { node: process.versions.node });
  },
  cifar10: (folder, source = "") => {
    for (const name of [...[1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`), "test_batch.bin"]) {
      const file = batchFile(source, name);
      if (file === undefined) throw new SetupError(`pack-gpu: ${source} has no ${name}`);
      writeFileSync(join(folder, `${name}.br`), packRecords(readFileSync(file)));
    }
  },
};

/**
 * Writes an archive's parts and returns their lines of the manifest. @param {string} name @param {Buffer}
 * bytes @param {string} out
 */
function writeParts(name, bytes, out) {
  /** @type {string[]} */
  const lines = [];
  for (let first = 0; first < bytes.length; first += partBytes) {
    const part = bytes.subarray(first, first + partBytes);
    const file = `${name}.tar.gz.${String(lines.length).padStart(2, "0")}`;
    writeFileSync(join(out, file), part);
    lines.push(`${createHash("sha256").update(part).digest("hex")}  ${file}`);
    say(`  ${file}  ${(part.length / 2 ** 20).toFixed(1)} MiB`);
  }
  return lines;
}

/**
 * Writes all parts, run.sh and the manifest into a folder, which holds nothing else afterwards. @param {{
 * out: string, cifar10?: string | undefined }} options
 */
export function packAll({ out, cifar10 }) {
  if (existsSync(out) && !existsSync(join(out, "MANIFEST"))) {
    throw new SetupError(`pack-gpu: ${out} is there and holds no parts: give another folder by --out`);
  }
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  /** @type {string[]} */
  const lines = [];
  for (const [name, fill] of Object.entries(contents)) {
    if (name === "cifar10" && cifar10 === undefined) continue;
    const folder = join(mkdtempSync(join(tmpdir(), "sqa-pack-")), name);
    mkdirSync(folder);
    try {
      timed(`pack-gpu: ${name}`, () => {
        fill(folder, cifar10);
        lines.push(...writeParts(name, archive(folder), out));
      });
    } finally {
      rmSync(dirname(folder), { recursive: true, force: true });
    }
  }
  cpSync(join(checkout, "gpu", "run.sh"), join(out, "run.sh"));
  writeFileSync(join(out, "MANIFEST"), `${lines.join("\n")}\n`);
  say(`pack-gpu: ${lines.length} parts in ${out}`);
}
