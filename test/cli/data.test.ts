import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { main } from "../../src/cli/main.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-data-"));
/** Archive with one file, whose name is official and whose content is not. */
const header = Buffer.alloc(512);
header.write("cifar-10-batches-bin/test_batch.bin");
header.write("0000644\0", 100);
header.write("00000000005\0", 124);
header.write("        0", 148);
header.write("ustar\0", 257);
header.write(
  `${header
    .reduce((sum, byte) => sum + byte, 0)
    .toString(8)
    .padStart(6, "0")}\0 `,
  148,
);
const archive = gzipSync(Buffer.concat([header, Buffer.from("hello"), Buffer.alloc(507 + 1024)]));
const server = createServer((_, response) => void response.end(archive));
await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/made.tar.gz`;
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const sqa = async (...words: string[]) => {
  using captured = captureOutput();
  return { code: await main(["data", ...words]), out: captured.stdout.text, err: captured.stderr.text };
};

test("sqa data fetch refuses files that are not the official ones, and what cannot be fetched", async () => {
  const given = await sqa("fetch", "cifar10", "--to", folder, "--url", url);
  expect([given.code, given.out]).toEqual([65, ""]);
  expect(given.err).toMatch(/test_batch\.bin is not the official file: SHA-1/);
  expect((await sqa("fetch", "cifar11")).err).toContain(
    'unknown data set "cifar11"; did you mean "cifar10"?',
  );
  expect((await sqa("fetch", "mnist")).err).toContain("data set mnist needs no fetching: it is in ");
  expect(await sqa("get", "cifar10")).toMatchObject({ code: 64 });
  expect(await sqa("fetch", "cifar10", "--url", "ftp://somewhere/a")).toMatchObject({ code: 64 });
});
