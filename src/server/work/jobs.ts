import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, existsSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { makeFolder, messageOf, processStart, stillRuns, writeFileAtomic } from "../../base/index.js";
import type { Job } from "../api.js";
import { readJson } from "../files/read-json.js";
import { readPart } from "../files/read-part.js";

const recordSchema = z.object({
  kind: z.enum(["train", "audit"]),
  run: z.string(),
  pid: z.int().min(1),
  started: z.string(),
  began: z.number(),
  code: z.int().nullable(),
});
type JobRecord = z.output<typeof recordSchema>;

/** Command line of `sqa`: the program, and the words before its own. */
export type SqaProgram = readonly [program: string, ...words: string[]];

/** Work to begin: words of the command line, and the text of its `--config` file. */
export interface NewJob {
  readonly kind: Job["kind"];
  readonly run: string;
  readonly words: readonly string[];
  readonly config: string | undefined;
}

const jobName = /^[0-9a-z]{12,40}$/;
const logBytes = 16 * 1024;

/** Codes of a terminal, then all that is no character of a text. */
const codes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, "g");
const controls = /[^\P{Cc}\n\t]/gu;

/**
 * Trainings and audits that the page began, each a process of the command line with a folder of its own: the
 * configuration file, what it wrote, and a record by which a restarted server finds it again.
 */
export class Jobs {
  readonly #children = new Map<string, ChildProcess>();

  /** @param write replaces a file at once, or throws */
  constructor(
    readonly folder: string,
    readonly program: SqaProgram,
    readonly write: (path: string, text: string) => void = writeFileAtomic,
  ) {}

  /**
   * Begins work and returns its id.
   *
   * @throws Error where its program does not run, or its record cannot be written: nothing runs then
   */
  start(job: NewJob): string {
    const id = Date.now().toString(36).padStart(9, "0") + randomBytes(3).toString("hex");
    const folder = join(this.folder, id);
    try {
      makeFolder(folder);
      this.#begin(id, folder, job);
      return id;
    } catch (cause) {
      rmSync(folder, { recursive: true, force: true });
      throw new Error(`${job.kind} could not be started: ${messageOf(cause)}`, { cause });
    }
  }

  #begin(id: string, folder: string, { kind, run, words, config }: NewJob): void {
    const file = join(folder, "config.yaml");
    if (config !== undefined) writeFileSync(file, config);
    const [program, ...first] = this.program;
    const all = [...first, ...words, ...(config === undefined ? [] : ["--config", file])];
    const child = spawnLogged(program, all, join(folder, "log"));
    const pid = child.pid;
    if (pid === undefined) throw new Error(`${program} does not run`);
    child.unref();
    const record = { kind, run, pid, started: processStart(pid), began: Date.now(), code: null };
    try {
      this.#keep(folder, record);
    } catch (cause) {
      // Without a record nobody finds it, or stops it.
      child.kill("SIGKILL");
      throw cause;
    }
    this.#children.set(id, child);
    child.on("exit", (code) => {
      this.#children.delete(id);
      try {
        this.#keep(folder, { ...record, code: code ?? 128 });
      } catch {
        // The folder was taken away, or the disk is full: how it ended is not known then.
      }
    });
  }

  #keep(folder: string, record: JobRecord): void {
    this.write(join(folder, "job.json"), `${JSON.stringify(record)}\n`);
  }

  /** Asks work to stop where it can go on later; false where it is not running. */
  stop(id: string): boolean {
    const record = this.#record(id);
    if (record === undefined || !isAlive(record)) return false;
    try {
      process.kill(record.pid, "SIGTERM");
      return true;
    } catch {
      return false;
    }
  }

  /** Work of the page, the latest first. */
  list(): Job[] {
    if (!existsSync(this.folder)) return [];
    const ids = readdirSync(this.folder).filter((name) => jobName.test(name));
    const latest = ids.sort().reverse().slice(0, 50);
    return latest.map((id) => this.job(id)).filter((job) => job !== undefined);
  }

  /** Mark of all work, which changes when some begins, writes or ends. */
  mark(): string {
    const marks = this.list().map(({ id, state, code, log }) => `${id} ${state} ${code} ${log}`);
    return createHash("sha256").update(marks.join("\n")).digest("hex").slice(0, 12);
  }

  /** Work by its id; undefined where there is none. */
  job(id: string): Job | undefined {
    const record = this.#record(id);
    if (record === undefined) return undefined;
    const { kind, run, pid, code, began } = record;
    const state = isAlive(record) ? "running" : "ended";
    const written = readPart(join(this.folder, id, "log"), -logBytes, logBytes)?.bytes.toString("utf8") ?? "";
    return { id, kind, run, state, pid, code, began, log: written.replace(codes, "").replace(controls, "") };
  }

  #record(id: string): JobRecord | undefined {
    if (!jobName.test(id)) return undefined;
    try {
      return readJson(join(this.folder, id, "job.json"), recordSchema, 4096);
    } catch {
      return undefined;
    }
  }
}

/**
 * Starts a program that writes to a log. Detached: it goes on when the server ends, and Ctrl-C on the
 * server's terminal does not reach it.
 */
function spawnLogged(program: string, words: readonly string[], file: string): ChildProcess {
  const log = openSync(file, "a", 0o600);
  try {
    const child = spawn(program, words, { detached: true, stdio: ["ignore", log, log] });
    // At once: an error that nobody hears ends the server. That there is no pid tells of it.
    return child.on("error", () => {});
  } finally {
    closeSync(log);
  }
}

/** Tells whether the process of a record runs, and not another that was given its number. */
function isAlive({ pid, started, code }: JobRecord): boolean {
  return code === null && started !== "" && stillRuns(pid, started);
}
