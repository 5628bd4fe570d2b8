import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DatasetArchive, fetchArchive } from "../../src/datasets/fetching/fetch-archive.js";
import { leaveTemporary } from "../base/left-file.js";
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

/** Next answer of the server: the whole archive, ranges of it, or something wrong. */
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.headers.range ?? "all");
  answer(request, response);
});
await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/~somebody/made.tar.gz`;
const archive: DatasetArchive = { url, checksums, maxBytes: 2 ** 24, maxUnpackedBytes: 2 ** 24 };
const part = ".sqa-fetch-made.tar.gz.part";
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(parent, { recursive: true });
});

function sendRange(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (start >= body.length)
    return void response.writeHead(416, { "content-range": `bytes */${body.length}` }).end();
  const headers = { "content-range": `bytes ${start}-${body.length - 1}/${body.length}` };
  response.writeHead(start > 0 ? 206 : 200, {
    ...(start > 0 ? headers : {}),
    "content-length": body.length - start,
  });
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
  for (const [name, bytes] of Object.entries(files))
    expect(readFileSync(join(folder, name)).equals(bytes)).toBe(true);
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

  test("again where a file is missing, or is damaged and may be replaced", async () => {
    await fetchArchive(archive, folder);
    rmSync(join(folder, "test_batch.bin"));
    leaveTemporary(folder, "test_batch.bin");
    expect(await fetchArchive(archive, folder)).toBe(true);
    expectFiles();
    writeFileSync(join(folder, "data_batch_2.bin"), "");
    expect(await fetchArchive(archive, folder, { replace: true })).toBe(true);
    expectFiles();
  });

  test("from where the connection broke", async () => {
    answer = (_, response) => {
      response.writeHead(200, { "content-length": official.length });
      response.write(official.subarray(0, 1000), () => setTimeout(() => response.destroy(), 50));
    };
    await expect(fetchArchive(archive, folder)).rejects.toThrow(
      /broke off after 1000 bytes; the same command resumes it/,
    );
    expect(statSync(join(folder, part)).size).toBe(1000);
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
    writeFileSync(join(folder, part), "damaged");
    answer = (_, response) => void response.writeHead(200).end(official);
    await fetchArchive(archive, folder);
    expectFiles();
    rmSync(join(folder, "test_batch.bin"));
    writeFileSync(join(folder, part), Buffer.alloc(official.length + 1));
    answer = (request, response) => sendRange(request, response, official);
    await fetchArchive(archive, folder);
    expectFiles();
  });

  test("and unpacked when a killed process had all of it", async () => {
    writeFileSync(join(folder, part), official);
    await fetchArchive(archive, folder);
    expectFiles();
  });
});

describe("a server", () => {
  /** Sends the archive as a server does that says its own compression is the answer's. */
  const asEncoded = (body: Buffer) => (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader("content-encoding", "x-gzip");
    sendRange(request, response, body);
  };

  test("may call the archive's own compression the answer's, and the download goes on all the same", async () => {
    answer = (_, response) => {
      response.setHeader("content-encoding", "x-gzip");
      response.writeHead(200, { "content-length": official.length });
      response.write(official.subarray(0, 1000), () => setTimeout(() => response.destroy(), 50));
    };
    await expect(fetchArchive(archive, folder)).rejects.toThrow(/broke off after 1000 bytes/);
    answer = asEncoded(official);
    expect(await fetchArchive(archive, folder)).toBe(true);
    expect(asked).toEqual(["all", "bytes=1000-"]);
    expectFiles();
  });

  test("may compress the archive once more", async () => {
    answer = asEncoded(gzipSync(official));
    expect(await fetchArchive(archive, folder)).toBe(true);
    expectFiles();
  });

  test("may redirect, but not without end, nor to a file", async () => {
    const location = (to: string) => (_: IncomingMessage, response: ServerResponse) =>
      void response.writeHead(302, { location: to }).end();
    const moved = { ...archive, url: url.replace("~somebody", "old") };
    answer = (request, response) =>
      request.url!.startsWith("/old/")
        ? location("/~somebody/made.tar.gz")(request, response)
        : sendRange(request, response, official);
    expect(await fetchArchive(moved, folder)).toBe(true);
    rmSync(join(folder, "test_batch.bin"));
    for (const [to, message] of [
      [url, "it redirects more than 10 times"],
      ["file:///etc/passwd", "it redirects to file:///etc/passwd, which is no address of http or https"],
      ["http://[", "it redirects to http://[, which is no address of http or https"],
    ] as const) {
      answer = location(to);
      await expect(fetchArchive(archive, folder)).rejects.toThrow(`cannot reach ${url}: ${message}`);
    }
  });

  test.each([
    ["before it answers", () => {}, /^cannot reach .*: the server has sent nothing for 0\.2 s$/],
    [
      "in the midst",
      (_: IncomingMessage, response: ServerResponse) => {
        response.writeHead(200, { "content-length": official.length });
        response.write(official.subarray(0, 1000));
      },
      /broke off after 1000 bytes; the same command resumes it \(the server has sent nothing for 0\.2 s\)$/,
    ],
  ])("that sends nothing more is given up, %s", async (_, stall, message) => {
    answer = stall;
    const begun = performance.now();
    await expect(fetchArchive(archive, folder, { patience: 200 })).rejects.toThrow(message);
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  test("that answers with a part that was not asked for is refused", async () => {
    answer = (_, response) => void response.writeHead(206).end("abc");
    await expect(fetchArchive(archive, folder)).rejects.toThrow(
      "answers with a part of the file, which was not asked for",
    );
  });
});

describe("what the user has in the folder", () => {
  const mine = (name: string, content: string | Buffer) => writeFileSync(join(folder, name), content);
  const content = (name: string) => readFileSync(join(folder, name), "utf8");

  test("is used where it is the archive, and left as it is", async () => {
    mine("made.tar.gz", official);
    const remarks: string[] = [];
    expect(await fetchArchive(archive, folder, { onRemark: (text) => remarks.push(text) })).toBe(true);
    expect([asked, remarks]).toEqual([
      [],
      [`unpacked ${join(folder, "made.tar.gz")}, which is left as it is`],
    ]);
    expect(readFileSync(join(folder, "made.tar.gz")).equals(official)).toBe(true);
    rmSync(join(folder, "made.tar.gz"));
    expectFiles();
  });

  test("is left as it is where it only has the archive's name", async () => {
    mine("made.tar.gz", "my own, hours of work");
    const remarks: string[] = [];
    expect(await fetchArchive(archive, folder, { onRemark: (text) => remarks.push(text) })).toBe(true);
    expect(content("made.tar.gz")).toBe("my own, hours of work");
    expect(remarks).toEqual([
      `${join(folder, "made.tar.gz")}: incorrect header check; it is left as it is, and the archive is fetched`,
    ]);
    rmSync(join(folder, "made.tar.gz"));
    expectFiles();
  });

  test("is left as it is where the fetch fails", async () => {
    mine("made.tar.gz", "my own");
    answer = (_, response) => void response.writeHead(200).end("<html>not here</html>");
    await expect(fetchArchive(archive, folder)).rejects.toThrow(/incorrect header check; it came from/);
    expect(readdirSync(folder)).toEqual(["made.tar.gz"]);
    expect(content("made.tar.gz")).toBe("my own");
  });

  test("is not replaced where it has the name of a wanted file, and nothing is downloaded then", async () => {
    mine("test_batch.bin", "my own");
    await expect(fetchArchive(archive, folder)).rejects.toThrow(
      `${join(folder, "test_batch.bin")} is there already and is not the official file; --force replaces it`,
    );
    expect([asked, content("test_batch.bin")]).toEqual([[], "my own"]);
    expect(await fetchArchive(archive, folder, { replace: true })).toBe(true);
    expectFiles();
  });

  test("is not written to through a link of the download's name", async () => {
    mine("victim", "precious");
    symlinkSync("victim", join(folder, part));
    await expect(fetchArchive(archive, folder)).rejects.toThrow(`cannot write ${join(folder, part)}: ELOOP`);
    expect(content("victim")).toBe("precious");
  });
});

describe("refused is", () => {
  const refuse = async (body: Buffer, message: RegExp, given: Partial<DatasetArchive> = {}) => {
    answer = (request, response) => sendRange(request, response, body);
    await expect(fetchArchive({ ...archive, ...given }, folder)).rejects.toThrow(message);
    expect(existsSync(join(folder, part))).toBe(false);
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
    const large = mkdtempSync(join(parent, "large-"));
    writeFileSync(join(large, "test_batch.bin"), Buffer.alloc(122_920));
    const packed = spawnSync("tar", ["-czf", "-", "-C", large, "."]).stdout;
    await refuse(packed, /has 122920 bytes, 122000 at most/, { maxBytes: 122_000 });
  });

  test("an archive that unpacks to more than it may, as soon as it does", async () => {
    const tar = join(folder, "bomb.tar");
    const bomb = mkdtempSync(join(parent, "bomb-"));
    for (const name of "abcdefgh") writeFileSync(join(bomb, name), Buffer.alloc(2 ** 20));
    spawnSync("tar", ["-cf", tar, "-C", bomb, "."]);
    const packed = gzipSync(readFileSync(tar));
    rmSync(tar);
    expect(packed.length).toBeLessThan(20_000);
    await refuse(packed, /unpacks to more than the 4194304 bytes expected/, { maxUnpackedBytes: 2 ** 22 });
    await refuse(packed, /holds no data_batch_1\.bin/);
  });

  test("a file whose name would act on the terminal, which is shown as codes", async () => {
    const named = mkdtempSync(join(parent, "named-"));
    mkdirSync(join(named, "\u001b[2Jx"));
    writeFileSync(join(named, "\u001b[2Jx", "test_batch.bin"), "other");
    const packed = spawnSync("tar", ["-czf", "-", "-C", named, "."]).stdout;
    await refuse(packed, /: \.\/\\u001b\[2Jx\/test_batch\.bin is not the official file/);
  });

  test("an answer that is no file", async () => {
    answer = (_, response) => void response.writeHead(404).end("gone");
    await expect(fetchArchive(archive, folder)).rejects.toThrow(`${url}: the server answers 404 Not Found`);
    const unreachable = { ...archive, url: "http://127.0.0.1:1/a.tar.gz" };
    await expect(fetchArchive(unreachable, folder)).rejects.toThrow(
      "cannot reach http://127.0.0.1:1/a.tar.gz",
    );
  });
});
