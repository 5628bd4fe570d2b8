import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { main } from "../../src/cli/main.js";
import { type DatasetArchive, fetchArchive } from "../../src/datasets/fetch-archive.js";
import { captureOutput } from "../cli/captured-output.js";
import { cifarFiles } from "./cifar-files.js";
import { writeFolder } from "./idx-files.js";

const parent = mkdtempSync(join(tmpdir(), "sqa-fetch-"));
const files = cifarFiles({ train: 40, test: 30 });
writeFolder(join(parent, "src", "cifar-10-batches-bin"), { ...files, "readme.html": Buffer.from("hello") });
// Made by the machine's own tar, apart from the code that reads it.
spawnSync("tar", ["-czf", join(parent, "made.tar.gz"), "-C", join(parent, "src"), "cifar-10-batches-bin"]);
const official = readFileSync(join(parent, "made.tar.gz"));
const checksums = Object.fromEntries(
  Object.entries(files).map(([name, bytes]) => [name, createHash("sha1").update(bytes).digest("hex")]),
);

/** What the server does next: the whole archive, ranges of it, or something wrong. */
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.headers.range ?? "all");
  answer(request, response);
});
await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/~somebody/made.tar.gz`;
const archive: DatasetArchive = { url, checksums, maxBytes: 2 ** 24 };
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(parent, { recursive: true });
});

function sendRange(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (start >= body.length) return void response.writeHead(416, { "content-range": `bytes */${body.length}` }).end();
  const headers = { "content-range": `bytes ${start}-${body.length - 1}/${body.length}` };
  response.writeHead(start > 0 ? 206 : 200, { ...(start > 0 ? headers : {}), "content-length": body.length - start });
  response.end(body.subarray(start));
}

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(parent, "to-"));
  asked = [];
  answer = (request, response) => sendRange(request, response, official);
});
afterEach(() => expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]));

const expectFiles = () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(files).sort());
  for (const [name, bytes] of Object.entries(files)) expect(readFileSync(join(folder, name)).equals(bytes)).toBe(true);
};

describe("an archive is fetched", () => {
  test("whole, its files checked, and not again", async () => {
    const seen: number[] = [];
    expect(await fetchArchive(archive, folder, { onProgress: ({ done }) => seen.push(done) })).toBe(true);
    expectFiles();
    expect(seen.at(-1)).toBe(official.length);
    expect(await fetchArchive(archive, folder)).toBe(false);
    expect(asked).toEqual(["all"]);
  });

  test("again where a file is missing or damaged", async () => {
    await fetchArchive(archive, folder);
    writeFileSync(join(folder, "data_batch_2.bin"), "");
    expect(await fetchArchive(archive, folder)).toBe(true);
    expectFiles();
  });

  test("from where the connection broke", async () => {
    answer = (_, response) => {
      response.writeHead(200, { "content-length": official.length });
      response.write(official.subarray(0, 1000), () => setTimeout(() => response.destroy(), 50));
    };
    await expect(fetchArchive(archive, folder)).rejects.toThrow(/broke off after 1000 bytes; the same command goes on/);
    expect(statSync(join(folder, "made.tar.gz.part")).size).toBe(1000);
    answer = (request, response) => sendRange(request, response, official);
    expect(await fetchArchive(archive, folder)).toBe(true);
    expectFiles();
    expect(asked).toEqual(["all", "bytes=1000-"]);
  });

  test("from where it was aborted", async () => {
    const controller = new AbortController();
    answer = (_, response) => {
      response.writeHead(200, { "content-length": official.length });
      response.write(official.subarray(0, 500), () => setTimeout(() => controller.abort(), 50));
    };
    await expect(fetchArchive(archive, folder, { signal: controller.signal })).rejects.toThrow(/abort/);
    answer = (request, response) => sendRange(request, response, official);
    await fetchArchive(archive, folder);
    expect(asked).toEqual(["all", "bytes=500-"]);
    expectFiles();
  });

  test("whole when the server knows no ranges, or the part is longer than the file", async () => {
    writeFileSync(join(folder, "made.tar.gz.part"), "damaged");
    answer = (_, response) => void response.writeHead(200).end(official);
    await fetchArchive(archive, folder);
    expectFiles();
    rmSync(join(folder, "test_batch.bin"));
    writeFileSync(join(folder, "made.tar.gz.part"), Buffer.alloc(official.length + 1));
    answer = (request, response) => sendRange(request, response, official);
    await fetchArchive(archive, folder);
    expectFiles();
  });

  test("and unpacked when a killed process had all of it", async () => {
    writeFileSync(join(folder, "made.tar.gz.part"), official);
    await fetchArchive(archive, folder);
    expectFiles();
  });
});

describe("refused is", () => {
  const refuse = async (body: Buffer, message: RegExp, given: Partial<DatasetArchive> = {}) => {
    answer = (request, response) => sendRange(request, response, body);
    await expect(fetchArchive({ ...archive, ...given }, folder)).rejects.toThrow(message);
    expect(existsSync(join(folder, "made.tar.gz"))).toBe(false);
    expect(existsSync(join(folder, "made.tar.gz.part"))).toBe(false);
  };

  test("another file than the official one", async () => {
    const other = { ...checksums, "data_batch_1.bin": "0".repeat(40) };
    await refuse(official, /data_batch_1\.bin is not the official file: SHA-1 .*it came from http/, {
      checksums: other,
    });
    expect(existsSync(join(folder, "data_batch_1.bin"))).toBe(false);
  });

  test("an archive that lacks a file, is cut off, or is none", async () => {
    await refuse(official.subarray(0, official.length / 2), /made\.tar\.gz: /);
    await refuse(Buffer.from("<html>not here</html>"), /made\.tar\.gz: incorrect header check/);
    await refuse(gzipSync(Buffer.alloc(2000, "x")), /not a tar archive/);
    await refuse(gzipSync(Buffer.alloc(100)), /cut off in the middle/);
    await refuse(official, /holds no extra\.bin/, { checksums: { ...checksums, "extra.bin": "" } });
  });

  test("more than is expected, on the way and unpacked", async () => {
    await refuse(official, /more than the 100 bytes expected/, { maxBytes: 100 });
    await refuse(official, /has 122920 bytes, 122000 at most|more than the/, { maxBytes: 122_000 });
  });

  test("an answer that is no file", async () => {
    answer = (_, response) => void response.writeHead(404).end("gone");
    await expect(fetchArchive(archive, folder)).rejects.toThrow(`${url}: the server answers 404 Not Found`);
    const unreachable = { ...archive, url: "http://127.0.0.1:1/a.tar.gz" };
    await expect(fetchArchive(unreachable, folder)).rejects.toThrow("cannot reach http://127.0.0.1:1/a.tar.gz");
  });
});

describe("sqa data fetch", () => {
  const sqa = async (...words: string[]) => {
    using captured = captureOutput();
    return { code: await main(["data", ...words]), out: captured.stdout.text, err: captured.stderr.text };
  };

  test("refuses files that are not the official ones, and what cannot be fetched", async () => {
    const given = await sqa("fetch", "cifar10", "--to", folder, "--url", url);
    expect([given.code, given.out]).toEqual([1, ""]);
    expect(given.err).toMatch(/data_batch_\d\.bin is not the official file: SHA-1/);
    expect((await sqa("fetch", "cifar11")).err).toContain('unknown data set "cifar11"; did you mean "cifar10"?');
    expect((await sqa("fetch", "mnist")).err).toContain("data set mnist is not fetched: it is found at ");
    expect(await sqa("get", "cifar10")).toMatchObject({ code: 2 });
    expect(await sqa("fetch", "cifar10", "--url", "ftp://somewhere/a")).toMatchObject({ code: 2 });
  });
});
