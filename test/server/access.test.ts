import { existsSync, statSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guard } from "../../src/server/access/guard.js";
import { Served, writeRun } from "./served.js";

let served: Served;

beforeAll(async () => {
  served = await Served.start();
  writeRun(served.runs, "one");
});
afterAll(() => served[Symbol.asyncDispose]());

/** Cookie that the token is exchanged for. */
async function cookie(): Promise<string> {
  const { headers } = await served.send(`/?token=${served.dashboard.token}`);
  return headers["set-cookie"]![0]!.split(";")[0]!;
}

describe("the way in", () => {
  it("is closed without the token", async () => {
    for (const path of ["/", "/api/runs", "/assets/icon.svg", "/api/stream", "/?token=", "/?token=wrong"]) {
      const { status, text } = await served.send(path);
      expect([path, status]).toEqual([path, 401]);
      expect(text).toContain("open the URL");
    }
  });

  it("exchanges the token for a cookie that no script and no other site can use", async () => {
    const { status, headers } = await served.send(`/?token=${served.dashboard.token}`);
    expect([status, headers.location]).toEqual([303, "/"]);
    const [set] = headers["set-cookie"]!;
    expect(set).toContain("HttpOnly");
    expect(set).toContain("SameSite=Strict");
    expect(set).not.toContain(served.dashboard.token);
    expect((await served.send("/api/runs", { headers: { Cookie: await cookie() } })).status).toBe(200);
    expect((await served.send("/api/runs", { headers: { Cookie: `${await cookie()}x` } })).status).toBe(401);
  });

  it("takes no token in the address of anything but the page", async () => {
    expect((await served.send(`/api/runs?token=${served.dashboard.token}`)).status).toBe(401);
  });

  it("knows its cookie again after a restart, though the token is new", async () => {
    const known = await cookie();
    const { port, token } = served.dashboard;
    await served.dashboard.close();
    await served.restart({ port });
    expect(served.dashboard.token).not.toBe(token);
    expect((await served.send("/api/runs", { headers: { Cookie: known } })).status).toBe(200);
    expect((await served.send(`/?token=${token}`)).status).toBe(401);
  });

  it("keeps its secret to the user", () => {
    const file = join(served.top, "state", "dashboard-secret");
    expect(existsSync(file) && statSync(file).mode & 0o777).toBe(0o600);
  });

  it("is on this machine's own address alone", async () => {
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, internal }) => family === "IPv4" && !internal);
    for (const { address } of others) {
      const reached = await new Promise((done) => {
        const socket = connect({ host: address, port: served.dashboard.port, timeout: 2000 });
        for (const end of ["error", "timeout"]) socket.on(end, () => done(false));
        socket.on("connect", () => done(true));
      });
      expect([address, reached]).toEqual([address, false]);
    }
    // Another address of the loopback reaches a server that listens on every address.
    const loopback = await new Promise((done) => {
      const socket = connect({ host: "127.0.0.2", port: served.dashboard.port });
      socket.on("error", () => done(false)).on("connect", () => done(true));
    });
    expect(loopback).toBe(false);
  });

  it("has names without a port where that is HTTP's own, as browsers have them", async () => {
    const status = async (port: number, headers: Record<string, string>) => {
      const app = new Hono().use(guard({ token: "token", session: "session", port: () => port }));
      app.post("/api/jobs", (c) => c.text("begun"));
      const all = { Authorization: "Bearer token", ...headers };
      return (await app.request("/api/jobs", { method: "POST", headers: all })).status;
    };
    for (const name of ["127.0.0.1", "localhost"]) {
      const headers = { Host: name, Origin: `http://${name}` };
      expect([await status(80, headers), await status(8080, headers)]).toEqual([200, 403]);
    }
    expect(await status(80, { Host: "127.0.0.1", Origin: "http://evil.example" })).toBe(403);
  });
});

describe("strangers", () => {
  it("have another origin: refused, with the cookie and the token as well", async () => {
    const strangers = [
      "http://evil.example",
      "null",
      "http://127.0.0.1:1",
      `https://127.0.0.1:${served.dashboard.port}`,
    ];
    for (const Origin of strangers) {
      for (const way of [{ Cookie: await cookie() }, served.bearer]) {
        const got = await served.send("/api/runs", { headers: { ...way, Origin } });
        expect([Origin, got.status]).toEqual([Origin, 403]);
        expect(got.text).not.toContain("one");
        const body = { kind: "train", config: "model: small" };
        const posted = await served.post("/api/jobs", body, { ...way, Origin });
        expect([Origin, posted.status]).toEqual([Origin, 403]);
      }
    }
    expect(existsSync(join(served.runs, ".work"))).toBe(false);
  });

  it("reach it by a DNS name that leads here: refused", async () => {
    const { port } = served.dashboard;
    for (const Host of ["evil.example", `evil.example:${port}`, "127.0.0.1", `127.0.0.1.nip.io:${port}`]) {
      const answer = await served.get("/api/runs", { Host });
      expect([Host, answer.status]).not.toEqual([Host, 200]);
      expect(answer.text).not.toContain("one");
    }
    expect((await served.get("/api/runs", { Host: `localhost:${port}` })).status).toBe(200);
  });

  it("have pages that load from it: refused by what a browser says of them", async () => {
    for (const site of ["cross-site", "same-site"]) {
      const headers = { Cookie: await cookie(), "Sec-Fetch-Site": site };
      expect((await served.send("/api/runs", { headers })).status).toBe(403);
    }
  });

  it("get no leave to read, by no header", async () => {
    const preflight = await served.send("/api/jobs", {
      method: "OPTIONS",
      headers: { ...served.bearer, Origin: "http://evil.example", "Access-Control-Request-Method": "POST" },
    });
    expect(preflight.status).toBe(403);
    for (const { headers } of [preflight, await served.get("/api/runs", { Origin: served.origin })]) {
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });
});

describe("changes", () => {
  it("need the token and the page's own origin", async () => {
    const body = JSON.stringify({ kind: "train", config: "model: small" });
    const type = { "Content-Type": "application/json" };
    const post = (headers: object) => served.send("/api/jobs", { method: "POST", headers, body });
    expect((await post({ ...type, ...served.bearer })).status).toBe(403);
    expect((await post({ ...type, Origin: served.origin })).status).toBe(401);
    expect(
      (await post({ "Content-Type": "text/plain", ...served.bearer, Origin: served.origin })).status,
    ).toBe(415);
    for (const method of ["PUT", "DELETE", "PATCH"]) {
      const headers = { ...served.bearer, Origin: served.origin };
      expect((await served.send("/api/jobs", { method, headers })).status).toBe(405);
    }
    expect(existsSync(join(served.runs, ".work"))).toBe(false);
  });

  it("are refused where they ask for what there is not", async () => {
    const bad = [
      { kind: "erase", run: "one" },
      { kind: "resume", run: "../one" },
      { kind: "resume", run: "none" },
      { kind: "audit", run: "/etc" },
      { kind: "train", config: "" },
      { kind: "train", config: "x", words: ["--force"] },
      [],
    ];
    for (const body of bad) {
      const { status } = await served.post("/api/jobs", body);
      expect([body, [400, 404].includes(status)]).toEqual([body, true]);
    }
    expect((await served.post("/api/jobs/..%2f..%2fone/stop", {})).status).toBe(409);
    const tooLong = "x".repeat(9 * 2 ** 20);
    const job = { kind: "train", config: tooLong };
    expect((await served.post("/api/jobs", job)).status).toBe(413);
    // In chunks, a body does not say its length beforehand.
    const chunked = { "Transfer-Encoding": "chunked" };
    expect((await served.post("/api/jobs", job, chunked)).status).toBe(413);
  });
});

describe("every answer", () => {
  it("has the rules by which a browser runs nothing but the page's own script", async () => {
    for (const path of ["/", "/api/runs", "/api/none", "/assets/none.js"]) {
      const { headers } = await served.get(path);
      const rules = headers["content-security-policy"] as string;
      expect(rules).toContain("default-src 'none'");
      expect(rules).toContain("script-src 'self'");
      expect(rules).not.toMatch(/unsafe|\*|https?:/);
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["cache-control"]).toBe("no-store");
      expect(headers["referrer-policy"]).toBe("no-referrer");
    }
  });

  it("and the page itself has no inline script or style, and no address of elsewhere", async () => {
    const { text, headers } = await served.get("/");
    expect(headers["content-type"]).toContain("text/html");
    expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|style=|https?:/);
    const [script] = /\/assets\/[^"]+\.js/.exec(text)!;
    expect((await served.get(script)).headers["content-type"]).toContain("text/javascript");
  });
});
