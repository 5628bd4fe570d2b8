import { closeSync, constants, fstatSync, ftruncateSync, openSync, rmSync, writeSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { entryAt } from "../../base/index.js";
import { httpGet } from "./http-get.js";

/** Progress of a download in bytes; `total` is undefined where the server does not tell. */
export interface DownloadProgress {
  readonly done: number;
  readonly total: number | undefined;
}

export interface DownloadOptions {
  /** More bytes than this are refused. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for which the server may send nothing; a minute where left out. */
  readonly patience?: number | undefined;
  onProgress?(progress: DownloadProgress): void;
}

/** Answer of the server from `start` on; undefined when nothing is left to send. */
interface Answer {
  readonly body: IncomingMessage;
  readonly start: number;
  readonly total: number | undefined;
}

const minute = 60_000;

async function ask(url: string, start: number, options: DownloadOptions): Promise<Answer | undefined> {
  const { signal, patience = minute } = options;
  const range = start > 0 ? { range: `bytes=${start}-` } : {};
  let body: IncomingMessage;
  try {
    body = await httpGet(url, { headers: { "accept-encoding": "identity", ...range }, signal, patience });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new Error(`cannot reach ${url}: ${(cause as Error).message}`, { cause });
  }
  const { statusCode: status = 0, statusMessage = "", headers } = body;
  const [, first, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(headers["content-range"] ?? "") ?? [];
  if (status === 206 && first !== undefined && Number(first) === start)
    return { body, start, total: Number(total) };
  if (status === 200) {
    const length = headers["content-length"];
    return { body, start: 0, total: length === undefined ? undefined : Number(length) };
  }
  body.destroy();
  if (status === 416 && Number(total) === start) return undefined;
  // A part that the server cannot go on with is fetched anew.
  if (start > 0 && (status === 416 || status === 206)) return ask(url, 0, options);
  if (status === 206)
    throw new Error(`${url}: the server answers with a part of the file, which was not asked for`);
  throw new Error(`${url}: the server answers ${status} ${statusMessage}`.trimEnd());
}

/** Opens a regular file for what arrives; a link of its name is not followed. */
function openPart(file: string): number {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o666);
  } catch (cause) {
    throw new Error(`cannot write ${file}: ${(cause as Error).message}`, { cause });
  }
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new Error(`cannot write ${file}: it is no regular file`);
}

/**
 * Downloads into a file, from where an earlier call ended: by a broken connection, an abort or with its
 * process. Throws an Error that names the address, and what arrived stays there for the next call.
 */
export async function download(url: string, file: string, options: DownloadOptions): Promise<void> {
  const { maxBytes, signal, onProgress } = options;
  const before = entryAt(file);
  const answer = await ask(url, before?.isFile() === true ? before.size : 0, options);
  if (answer === undefined) return;
  const { body, start, total } = answer;
  let descriptor: number;
  try {
    descriptor = openPart(file);
  } catch (cause) {
    body.destroy();
    throw cause;
  }
  let done = start;
  try {
    ftruncateSync(descriptor, start);
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      if (done + chunk.length > maxBytes) {
        rmSync(file, { force: true });
        throw new RangeError(`${url}: more than the ${maxBytes} bytes expected`);
      }
      for (let at = 0; at < chunk.length; )
        at += writeSync(descriptor, chunk, at, chunk.length - at, done + at);
      done += chunk.length;
      onProgress?.({ done, total });
    }
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    if (cause instanceof RangeError) throw cause;
    const reason = (cause as Error).message;
    throw new Error(`${url}: broke off after ${done} bytes; the same command resumes it (${reason})`, {
      cause,
    });
  } finally {
    body.destroy();
    closeSync(descriptor);
  }
  if (total === undefined || done === total) return;
  throw new Error(`${url}: ended after ${done} of ${total} bytes; the same command resumes it`);
}
