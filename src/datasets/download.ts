import { closeSync, existsSync, ftruncateSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";

/** How far a download is, in bytes; `total` is undefined where the server does not tell. */
export interface DownloadProgress {
  readonly done: number;
  readonly total: number | undefined;
}

export interface DownloadOptions {
  /** More bytes than this are refused. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
  onProgress?(progress: DownloadProgress): void;
}

/** What the server sends from `start` on; undefined when nothing is left to send. */
interface Answer {
  readonly body: AsyncIterable<Uint8Array>;
  readonly start: number;
  readonly total: number | undefined;
}

async function ask(url: string, start: number, signal: AbortSignal | undefined): Promise<Answer | undefined> {
  const range = start > 0 ? { range: `bytes=${start}-` } : {};
  let response: Response;
  try {
    response = await fetch(url, { headers: { "accept-encoding": "identity", ...range }, signal: signal ?? null });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    const reason = (cause as Error).cause ?? cause;
    throw new Error(`cannot reach ${url}: ${reason instanceof Error ? reason.message : String(reason)}`, { cause });
  }
  const [, first, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  if (response.status === 416 && Number(total) === start) return undefined;
  // A part that the server cannot go on with is fetched anew.
  if (start > 0 && (response.status === 416 || (response.status === 206 && Number(first) !== start))) {
    await response.body?.cancel();
    return ask(url, 0, signal);
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(`${url}: the server answers ${response.status} ${response.statusText}`.trimEnd());
  }
  if (response.status === 206) return { body: response.body, start, total: Number(total) };
  const length = response.headers.get("content-length");
  return { body: response.body, start: 0, total: length === null ? undefined : Number(length) };
}

/**
 * Downloads a file. What arrives lies in `file`.part, from which the next call goes on after a broken connection, an abort or
 * a killed process; `file` appears when it is whole. Throws an Error that names the address.
 */
export async function download(url: string, file: string, options: DownloadOptions): Promise<void> {
  const { maxBytes, signal, onProgress } = options;
  const part = `${file}.part`;
  const answer = await ask(url, existsSync(part) ? statSync(part).size : 0, signal);
  if (answer !== undefined) await append(part, answer);
  renameSync(part, file);

  async function append(path: string, { body, start, total }: Answer): Promise<void> {
    const descriptor = openSync(path, start > 0 ? "r+" : "w");
    let done = start;
    try {
      ftruncateSync(descriptor, start);
      for await (const chunk of body) {
        if (done + chunk.length > maxBytes) throw new RangeError(`${url}: more than the ${maxBytes} bytes expected`);
        for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at, chunk.length - at, done + at);
        done += chunk.length;
        onProgress?.({ done, total });
      }
    } catch (cause) {
      if (cause instanceof RangeError) rmSync(path, { force: true });
      if (cause instanceof RangeError || signal?.aborted) throw cause;
      throw new Error(`${url}: broke off after ${done} bytes; the same command goes on (${(cause as Error).message})`, {
        cause,
      });
    } finally {
      closeSync(descriptor);
    }
    if (total === undefined || done === total) return;
    throw new Error(`${url}: ended after ${done} of ${total} bytes; the same command goes on`);
  }
}
