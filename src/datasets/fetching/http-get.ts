import { type IncomingMessage, get as plainGet } from "node:http";
import { get as secureGet } from "node:https";
import { shownName } from "../../base/index.js";

/** Manner in which a server is asked. */
export interface HttpOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds without a byte after which it is given up. */
  readonly patience: number;
  readonly signal?: AbortSignal | undefined;
}

const mostRedirects = 10;
const redirects = new Set([301, 302, 303, 307, 308]);

/** The server sent nothing for so long. */
export class StalledError extends Error {
  override readonly name = "StalledError";

  constructor(patience: number) {
    super(`the server has sent nothing for ${patience / 1000} s`);
  }
}

/**
 * Asks a server for an address, follows where it redirects to, and returns its answer, whose body is what
 * came over the wire: not uncompressed, as `fetch` does to an archive whose own compression a server declares
 * as the answer's.
 *
 * Throws the AbortSignal's reason, a StalledError, and an Error for an address that cannot be reached or
 * leads elsewhere than to http and https. The body fails in the same ways.
 */
export async function httpGet(url: string, options: HttpOptions): Promise<IncomingMessage> {
  let address = url;
  for (let turn = 0; turn <= mostRedirects; turn++) {
    const answer = await ask(address, options);
    const { statusCode = 0, headers } = answer;
    if (!redirects.has(statusCode) || headers.location === undefined) return answer;
    answer.destroy();
    address = addressOf(headers.location, address);
  }
  throw new Error(`it redirects more than ${mostRedirects} times`);
}

/** The address to which a redirection leads, seen from the address that it came from. */
function addressOf(location: string, base: string): string {
  try {
    const { href, protocol } = new URL(location, base);
    if (/^https?:$/.test(protocol)) return href;
  } catch {}
  throw new Error(`it redirects to ${shownName(location)}, which is no address of http or https`);
}

function ask(address: string, { headers, patience, signal }: HttpOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const get = new URL(address).protocol === "https:" ? secureGet : plainGet;
    // An agent of its own: a connection that is kept open would keep the process.
    const settings = {
      agent: false,
      headers: { "user-agent": "sqa", ...headers },
      timeout: patience,
      signal,
    };
    const request = get(address, settings, (answer) => {
      // Of the connection's end the body says only that it came too early.
      request.on("error", (cause) => answer.destroy(cause));
      resolve(answer);
    });
    // The limit is the connection's, from before it is made to the last byte of the body.
    request.on("timeout", () => request.destroy(new StalledError(patience)));
    request.on("error", (cause) => reject(signal?.aborted ? signal.reason : cause));
  });
}
