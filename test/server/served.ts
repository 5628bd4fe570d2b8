import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Dashboard, type DashboardOptions, startDashboard } from "../../src/server/index.js";

/** Answer of a server. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** Served folder of runs in a temporary folder, with what tests ask of it. */
export class Served implements AsyncDisposable {
  readonly top = mkdtempSync(join(tmpdir(), "sqa-dashboard-"));
  readonly runs = join(this.top, "runs");
  readonly results = join(this.top, "results");
  dashboard!: Dashboard;

  static async start(options: Partial<DashboardOptions> = {}): Promise<Served> {
    const served = new Served();
    mkdirSync(served.runs);
    mkdirSync(served.results);
    await served.restart(options);
    return served;
  }

  async restart(options: Partial<DashboardOptions> = {}): Promise<void> {
    const { runs, results } = this;
    const program = [process.execPath, "-e", ""] as const;
    const state = join(this.top, "state");
    this.dashboard = await startDashboard({ runs, results, program, state, port: 0, ...options });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.dashboard.port}`;
  }

  get bearer(): Record<string, string> {
    return { Authorization: `Bearer ${this.dashboard.token}` };
  }

  /** Sends exactly this path and these headers, as a hostile client would. */
  send(
    path: string,
    { method = "GET", headers = {}, body = "" }: { method?: string; headers?: object; body?: string } = {},
  ): Promise<Answer> {
    return new Promise((done, fail) => {
      const options = {
        host: "127.0.0.1",
        port: this.dashboard.port,
        path,
        method,
        headers: { ...headers },
        agent: false,
      };
      const sent = request(options, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (part: string) => {
          text += part;
        });
        answer.on("end", () => done({ status: answer.statusCode!, headers: answer.headers, text }));
      });
      sent.on("error", fail);
      sent.end(body);
    });
  }

  /** Asks with the token. */
  get(path: string, headers: object = {}): Promise<Answer> {
    return this.send(path, { headers: { ...this.bearer, ...headers } });
  }

  async json<T>(path: string): Promise<T> {
    return JSON.parse((await this.get(path)).text) as T;
  }

  /** Asks to do something, with token and origin. */
  post(path: string, body: unknown, headers: object = {}): Promise<Answer> {
    const own = { ...this.bearer, Origin: this.origin, "Content-Type": "application/json" };
    return this.send(path, { method: "POST", headers: { ...own, ...headers }, body: JSON.stringify(body) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dashboard.close();
    rmSync(this.top, { recursive: true, force: true });
  }
}

/** Epoch as a run logs it. */
export function epoch(number: number, figures: { clean?: number; weak?: number; strong?: number } = {}) {
  const { clean = 0.9, weak = 0.6, strong = 0.5 } = figures;
  return {
    type: "epoch",
    epoch: number,
    step: 10 * number,
    loss: 1 / number,
    clean,
    validation: [
      { attack: "fgsm(epsilon=0.3)", accuracy: weak },
      { attack: "pgd(epsilon=0.3)", accuracy: strong },
    ],
    commonestClass: 0.1,
    seconds: 1,
    secondsPerStep: 0.1,
  };
}

/** Alarm as a run logs it. */
export function alarm(number: number, kind = "catastrophic-overfitting") {
  return { type: "alarm", kind, epoch: number, step: 10 * number, message: "PGD accuracy collapsed" };
}

export const config = {
  model: "small",
  data: "mnist",
  defenses: ["sqa"],
  method: "fgsm(epsilon=0.3)",
  epochs: 4,
  seed: 0,
};

/** Lines of a log. */
export function lines(events: readonly object[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}

/** Writes a run folder. */
export function writeRun(
  runs: string,
  name: string,
  { events = [], ...changes }: { events?: readonly object[]; [option: string]: unknown } = {},
): string {
  const folder = join(runs, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, ...changes }));
  if (events.length > 0) writeFileSync(join(folder, "events.jsonl"), lines(events));
  return folder;
}

/** Writes the end of a run. */
export function finishRun(folder: string, last: object, alarms: readonly object[] = []): void {
  const result = { epochs: 4, steps: 40, last, alarms, seconds: 4, libtorch: "2.13.0", threads: 1 };
  writeFileSync(join(folder, "result.json"), JSON.stringify(result));
}
