// A stamp says from what a step's result was made, so that the step is left out while nothing of that has
// changed.
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * All files below a folder whose names pass, sorted. @param {string} folder @param {(name: string) =>
 * boolean} [accepts] @returns {string[]}
 */
export function filesBelow(folder, accepts = () => true) {
  const found = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...filesBelow(path, accepts));
    else if (accepts(entry.name)) found.push(path);
  }
  return found.sort();
}

/** Hash of the names and contents of some files. @param {string[]} files */
export function hashOfContents(files) {
  const hash = createHash("sha256");
  for (const file of files) {
    const bytes = readFileSync(file);
    hash.update(`${basename(file)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

/**
 * Hash of the names, sizes and times of some files: enough where another step checks the contents. @param
 * {string[]} files
 */
export function hashOfTimes(files) {
  const hash = createHash("sha256");
  for (const file of files) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\0`);
  }
  return hash.digest("hex");
}

/** The parsed JSON of a file, or undefined where there is none or it is cut short. @param {string} file */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Writes JSON so that a reader sees the old file or the new one, never a part. @param {string} file @param
 * {unknown} value
 */
export function writeJson(file, value) {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Tells whether the stamp in `file` is exactly `stamp`. @param {string} file @param {unknown} stamp */
export function isFresh(file, stamp) {
  const written = readJson(file);
  return written !== undefined && JSON.stringify(written) === JSON.stringify(stamp);
}
