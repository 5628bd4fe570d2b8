import { createHmac, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";

/** Secrets that open the dashboard. */
export interface Access {
  /** Token in the printed URL, new at every start. */
  readonly token: string;
  /** Value of the cookie that the token is exchanged for. */
  readonly session: string;
  /** Port that the server listens on; known when it does. */
  port(): number;
}

/** Cookie of a folder of runs: a restarted server knows it again, one of another folder does not. */
export function sessionOf(secret: string, folder: string): string {
  return createHmac("sha256", secret).update(`dashboard ${folder}`).digest("base64url");
}

function same(given: string | undefined, wanted: string): boolean {
  const [a, b] = [Buffer.from(given ?? ""), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Headers of every answer. The page has no inline script or style, and asks nobody but its server. */
const headers: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

function refuse(c: Context, status: 401 | 403 | 405, message: string): Response {
  return c.json({ error: message }, status);
}

/** Token of an `Authorization: Bearer` header. */
function bearer(c: Context): string | undefined {
  return /^Bearer (\S+)$/.exec(c.req.header("Authorization") ?? "")?.[1];
}

/** Names of a server at a port; browsers leave HTTP's own port out. */
function hostsAt(port: number): string[] {
  const names = ["127.0.0.1", "localhost"];
  return [...names.map((name) => `${name}:${port}`), ...(port === 80 ? names : [])];
}

/**
 * Lets nobody in but who has the token or its cookie, under the server's own name, and from its own page:
 * a stranger's page and a DNS name that leads here are refused before anything is read.
 */
export function guard(access: Access): MiddlewareHandler {
  return async (c, next) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    const hosts = hostsAt(access.port());
    if (!hosts.includes(c.req.header("Host") ?? "")) return refuse(c, 403, "Host: not this server's name");
    const origin = c.req.header("Origin");
    const own = hosts.map((host) => `http://${host}`);
    if (origin !== undefined && !own.includes(origin)) return refuse(c, 403, "Origin: another page's");
    const site = c.req.header("Sec-Fetch-Site");
    const top = c.req.path === "/" && c.req.method === "GET";
    if (site !== undefined && site !== "same-origin" && site !== "none" && !top)
      return refuse(c, 403, "Sec-Fetch-Site: another page's request");
    const changes = c.req.method !== "GET" && c.req.method !== "HEAD";
    if (changes && origin === undefined) return refuse(c, 403, "Origin: missing");
    if (changes && c.req.method !== "POST") return refuse(c, 405, "Method: only GET and POST");
    const cookie = `sqa-${access.port()}`;
    if (top && same(c.req.query("token"), access.token)) {
      setCookie(c, cookie, access.session, { httpOnly: true, sameSite: "Strict", path: "/" });
      return c.redirect("/", 303);
    }
    const known = same(getCookie(c, cookie), access.session) || same(bearer(c), access.token);
    if (!known) return refuse(c, 401, "open the URL that `sqa dashboard` printed");
    return next();
  };
}
