import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { SqaProcess, sqaCommand } from "../cli/sqa-process.js";
import { writeDigits } from "../training/digits-folder.js";

const model = `import { modelOf } from "sqa";
import { Flatten, Linear, Sequential } from "sqa/nn";
const network = (seed) => new Sequential({ flatten: new Flatten(), fc: new Linear(784, 10, { seed }) });
export const model = modelOf(network, { name: "linear", inputShape: [1, 28, 28], classes: 10 });
`;

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Audit of eight images by four shards of a batch each, in a folder where `node_modules/.bin/sqa` is this checkout. */
export class SharedAudit {
  readonly words: readonly string[];

  constructor(readonly folder: string) {
    const images = `mnist(folder=${writeDigits(folder, { train: 20, test: 8 })}, checksums=false)`;
    writeFileSync(join(folder, "linear.mjs"), model);
    const bin = join(folder, "node_modules", ".bin");
    mkdirSync(bin, { recursive: true });
    const { file, first, addon } = sqaCommand();
    const command = [file, ...first].map(quoted).join(" ");
    const script = `#!/bin/sh\nSQA_ADDON=${quoted(addon)} exec ${command} "$@"\n`;
    writeFileSync(join(bin, "sqa"), script);
    chmodSync(join(bin, "sqa"), 0o755);
    const size = ["--budget", "quick", "--epsilon", "0.1", "--batch-size", "2"];
    this.words = ["./linear.mjs", "--images", images, ...size, "--out", "shards"];
  }

  /** Runs `sqa` to its end, and expects its exit code. */
  async sqa(words: readonly string[], code = 0): Promise<void> {
    const child = new SqaProcess([...words, "--quiet"], { cwd: this.folder });
    expect(await child.ended(), child.stderr).toBe(code);
  }

  /** Folder of the audit's trials; undefined until it is there. */
  get #kept(): string | undefined {
    const out = join(this.folder, "shards");
    const names = statSync(out, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(out);
    const name = names.find((one) => /^(audit|evaluation)-[\w-]+$/.test(one));
    return name === undefined ? undefined : join(out, name);
  }

  /** Records of finished batches, with the number of the file that each is. */
  records(shard?: number): Map<string, number> {
    const trials = join(this.#kept ?? this.folder, "trials");
    if (statSync(trials, { throwIfNoEntry: false }) === undefined) return new Map();
    const first = shard === undefined ? "" : String(2 * (shard - 1)).padStart(5, "0");
    const files = readdirSync(trials).flatMap((trial) =>
      readdirSync(join(trials, trial))
        .filter((name) => name.startsWith(first) && name.endsWith(".json") && !name.startsWith("."))
        .map((name) => join(trial, name)),
    );
    return new Map(files.map((file) => [file, statSync(join(trials, file)).ino]));
  }

  /** Manifest of a shard. */
  manifest(shard: number): { complete: boolean; sittings: { finishedAt: string | null }[] } {
    return JSON.parse(readFileSync(join(this.#kept!, `shard-${shard}-of-4.json`), "utf8"));
  }

  /** Merges the shards, and expects the bytes of a single run. */
  async expectMerge(): Promise<void> {
    await this.sqa(["merge", "shards", "--trust-modules", "--threads", "1", "--out", "merged"]);
    await this.expectSingle("merged");
  }

  /** Makes the single run, and expects its bytes in another's folder, but for times. */
  async expectSingle(other: string): Promise<void> {
    const at = this.words.indexOf("--out");
    await this.sqa(["audit", ...this.words.slice(0, at), "--out", "single", "--threads", "1"]);
    const [single, found] = ["single", other].map((name) => join(this.folder, name));
    const numbers = (folder: string) => {
      const { environment: _, ...rest } = JSON.parse(readFileSync(join(folder, "audit.json"), "utf8"));
      return JSON.stringify(rest, (name, value) => (name === "seconds" ? undefined : value), 1);
    };
    expect(numbers(found!)).toBe(numbers(single!));
    const pictures = readdirSync(join(single!, "images"));
    expect(readdirSync(join(found!, "images"))).toEqual(pictures);
    for (const name of pictures) {
      const [one, same] = [single!, found!].map((folder) => readFileSync(join(folder, "images", name)));
      expect(same!.equals(one!), name).toBe(true);
    }
  }
}
