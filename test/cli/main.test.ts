import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, expectTypeOf, it } from "vitest";
import * as z from "zod";
import { type CommandContext, type CommandEntry, defineCommand } from "../../src/cli/frame/command.js";
import { progressStyle } from "../../src/cli/frame/output.js";
import { asUsage } from "../../src/cli/frame/usage-error.js";
import { commands, main } from "../../src/cli/main.js";
import { parseCall } from "../../src/options/call.js";
import { ratio } from "../../src/options/ratio.js";
import { captureOutput } from "./captured-output.js";

/** Text of a call, which stays text. */
function read(text: string, context: z.core.$RefinementCtx): string {
  try {
    parseCall(text);
  } catch (error) {
    context.issues.push({ code: "custom", message: (error as Error).message, input: text });
  }
  return text;
}

let seen: { options: unknown; context: CommandContext; quiet: boolean } | undefined;
let loaded = 0;

const attackCommand = defineCommand({
  name: "attack",
  summary: "attack a network",
  description: "Attack a network and say how much of its accuracy is left.",
  operands: [{ name: "run", description: "a run folder", optional: true }],
  options: z.strictObject({
    network: z.enum(["small", "large"]).default("small").describe("which network"),
    epsilon: ratio({ min: 0, max: 1 }).default(0.3).describe("radius of the ball"),
    stepSize: z.number().positive().optional().describe("length of a step"),
    attack: z
      .array(
        z
          .transform((text: string, context) => read(text, context))
          .meta({ accepted: "a call such as pgd(steps=7)" }),
      )
      .default([])
      .describe("what to run"),
    randomStart: z.boolean().default(true).describe("begin at a random place"),
    json: z.boolean().default(false).describe("print JSON"),
    sqa: z.boolean().default(false).describe("switch SQA on"),
    own: z.number().optional().meta({ hidden: true }),
    weights: z.string().meta({ placeholder: "FILE" }).optional().describe("weights to load"),
  }),
  fileKeys: { attacks: "attack" },
  examples: ["sqa attack --sqa --attack 'pgd(epsilon=8/255)'"],
  run: async (options, context) => {
    expectTypeOf(options.epsilon).toEqualTypeOf<number>();
    seen = { options, context, quiet: progressStyle().quiet };
    if (options.weights === "missing") throw new Error("cannot read missing");
    if (options.weights === "bad") asUsage(() => parseCall("pgd("));
    return options.weights === "seven" ? 7 : 0;
  },
});

const load = async () => {
  loaded++;
  return attackCommand;
};

const table: Record<string, CommandEntry> = {
  attack: { summary: "attack a network", load },
  list: { summary: "list things", load: () => Promise.reject(new Error("must not be loaded")) },
};

async function sqa(...words: string[]) {
  using captured = captureOutput();
  seen = undefined;
  const code = await main(words, table);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

const folder = mkdtempSync(join(tmpdir(), "sqa-main-"));
afterAll(() => rmSync(folder, { recursive: true }));
function config(text: string): string {
  const path = join(folder, "run.yaml");
  writeFileSync(path, text);
  return path;
}

const DEFAULTS = { network: "small", epsilon: 0.3, attack: [], randomStart: true, json: false, sqa: false };

describe("sqa", () => {
  it("shows help without loading a command", async () => {
    loaded = 0;
    for (const words of [[], ["--help"], ["help"], ["-h"]]) {
      const { code, out, err } = await sqa(...words);
      expect([code, err]).toEqual([0, ""]);
      expect(out).toMatch(
        /Usage: sqa <command>[\s\S]*attack {2,}attack a network[\s\S]*list {2,}list things[\s\S]*sqa <command> --help/,
      );
    }
    expect(loaded).toBe(0);
  });

  it("shows its version", async () => {
    for (const words of [["--version"], ["-V"]])
      expect((await sqa(...words)).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    using captured = captureOutput();
    expect(await main(["version"])).toBe(0);
    expect(captured.stdout.text).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("suggests the nearest command", async () => {
    const { code, out, err } = await sqa("atack");
    expect([code, out]).toEqual([64, ""]);
    expect(err).toBe(
      'error: unknown command "atack"; did you mean "attack"? known: attack, list\nsee sqa --help\n',
    );
    expect((await sqa("constructor")).code).toBe(64);
    expect((await sqa("--quite")).err).toContain("unknown option '--quite'; did you mean \"--quiet\"?");
  });
});

describe("options of a command", () => {
  it("have their defaults", async () => {
    expect((await sqa("attack")).code).toBe(0);
    expect(seen?.options).toEqual(DEFAULTS);
    expect(seen?.context).toMatchObject({ operands: [] });
    expect(seen?.quiet).toBe(false);
    expect(seen?.context.signal.aborted).toBe(false);
  });

  it("are read as their types say, in kebab-case and camelCase", async () => {
    await sqa(
      ..."attack --epsilon 8/255 --stepSize=1e-2 --attack fgsm --attack pgd(steps=7) --no-random-start --json".split(
        " ",
      ),
      ..."--network large --weights 123 --sqa --quiet".split(" "),
    );
    expect(seen?.options).toEqual({
      network: "large",
      epsilon: 8 / 255,
      stepSize: 0.01,
      attack: ["fgsm", "pgd(steps=7)"],
      randomStart: false,
      json: true,
      sqa: true,
      weights: "123",
    });
    expect(seen?.quiet).toBe(true);
  });

  it("take no word that stands behind a flag", async () => {
    await sqa("attack", "--sqa", "runs/small");
    expect(seen).toMatchObject({ options: { sqa: true }, context: { operands: ["runs/small"] } });
  });

  it("are empty lists with no- before their name", async () => {
    const path = config("attack: fgsm\n");
    await sqa("attack", "--config", path, "--no-attack");
    expect(seen?.options).toMatchObject({ attack: [] });
    await sqa("attack", "--no-attack", "--attack", "fgsm");
    expect(seen?.options).toMatchObject({ attack: ["fgsm"] });
  });

  it("may have other names in a file, and some are for files alone", async () => {
    await sqa("attack", "--config", config("attacks: [fgsm, pgd]\nown: 3\n"));
    expect(seen?.options).toMatchObject({ attack: ["fgsm", "pgd"], own: 3 });
    const twice = await sqa("attack", "--config", config("attack: fgsm\nattacks: [pgd]\n"));
    expect([twice.code, twice.err]).toEqual([
      64,
      expect.stringMatching(/:2: option "attacks" is given already, as "attack"\n/),
    ]);
    expect((await sqa("attack", "--own", "3")).err).toContain("unknown option '--own'");
    expect((await sqa("attack", "--help")).out).not.toContain("own");
  });

  it.each([
    ["--epsilom 1", "unknown option '--epsilom'; did you mean \"--epsilon\"?"],
    ["--epsilon 2", "--epsilon cannot be 2; accepted: a number in [0, 1]"],
    ["--epsilon big", '--epsilon cannot be "big"; accepted: a number in [0, 1]'],
    ["--step-size 0", "--step-size cannot be 0; accepted: a number above 0"],
    ["--network huge", '--network cannot be "huge"; accepted: small | large'],
    ["--epsilon", "option '--epsilon <number>' argument missing"],
    ["a b", "too many arguments: a b (1 expected)"],
    ["--eps 0.1", "unknown option '--eps'; did you mean \"--epsilon\"?"],
    ["--alpha 0.1", "unknown option '--alpha'; did you mean \"--step-size\"?"],
    ["--quite", "unknown option '--quite'; did you mean \"--quiet\"?"],
  ])("refuse %s", async (words, message) => {
    const { code, out, err } = await sqa("attack", ...words.split(" "));
    expect([code, out]).toEqual([64, ""]);
    expect(err).toContain(`error: ${message}`);
    expect(err).toMatch(/\nsee sqa attack --help\n$/);
    expect(err.trimEnd().split("\n")).toHaveLength(2);
  });

  it("say which argument is missing, and what it may be", async () => {
    const fetch = defineCommand({
      ...attackCommand,
      name: "fetch",
      operands: [
        { name: "action", description: "get or put" },
        { name: "name", description: "which data set" },
      ],
    });
    const fetching = { fetch: { summary: "fetch", load: async () => fetch } };
    using captured = captureOutput();
    expect([await main(["fetch"], fetching), await main(["fetch", "get"], fetching)]).toEqual([64, 64]);
    expect(captured.stderr.text.match(/error: .*/g)).toEqual([
      "error: missing action: get or put",
      "error: missing name: which data set",
    ]);
  });

  it("say what is wrong inside a call", async () => {
    const { code, err } = await sqa("attack", "--attack", "fgsm", "--attack", "pgd(steps=)");
    expect(code).toBe(64);
    expect(err).toContain('--attack cannot be "pgd(steps=)": expected a value at character 11');
  });

  it("come from a file, and flags win", async () => {
    const path = config("epsilon: 8/255\nrandom-start: false\nnetwork: large\nattack: fgsm\nsqa: true\n");
    await sqa("attack", "--config", path, "--network", "small");
    const options = { ...DEFAULTS, epsilon: 8 / 255, randomStart: false, attack: ["fgsm"], sqa: true };
    expect(seen?.options).toEqual(options);
  });

  it("name the line of a file", async () => {
    const path = config("network: small\nepsilon: 2\n");
    expect((await sqa("attack", "--config", path)).err).toContain(
      `${path}:2: epsilon cannot be 2; accepted: a number in`,
    );
    const wrong = await sqa("attack", "--config", config("epsilom: 1\n"));
    expect([wrong.code, wrong.err]).toEqual([
      64,
      `error: ${path}:1: unknown option "epsilom"; did you mean "epsilon"?\nsee sqa attack --help\n`,
    ]);
  });
});

describe("help of a command", () => {
  it("does not load the modules of --import", async () => {
    expect(await sqa("attack", "--import", "nowhere.mjs", "--help")).toMatchObject({ code: 0, err: "" });
  });

  it("shows options with defaults and an example", async () => {
    const { code, out } = await sqa("attack", "--help");
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "Usage: sqa attack [options] [run]

      Attack a network and say how much of its accuracy is left.

      Arguments:
        run                      a run folder

      Options:
        --network <small|large>  which network (default: small)
        --epsilon <number>       radius of the ball (a number in [0, 1]; default: 0.3)
        --step-size <number>     length of a step (a number above 0)
        --attack <value>         what to run (a call such as pgd(steps=7); repeatable)
        --[no-]random-start      begin at a random place (default: true)
        --json                   print JSON
        --sqa                    switch SQA on
        --weights <FILE>         weights to load
        --config <FILE>          YAML file with options; those given here win
        --import <FILE>          module to load first, which registers attacks and the like (repeatable)
        --quiet                  no progress and no remarks
        --debug                  show where an error comes from
        --no-color               no colors, as with NO_COLOR set
        -h, --help               show this help

      Example:
        $ sqa attack --sqa --attack 'pgd(epsilon=8/255)'
      "
    `);
    expect((await sqa("help", "attack")).out).toBe(out);
  });
});

describe("errors", () => {
  it("are one line, exit with 1, and show their stack only with --debug", async () => {
    expect(await sqa("attack", "--weights", "missing")).toEqual({
      code: 1,
      out: "",
      err: "error: cannot read missing\n",
    });
    expect((await sqa("attack", "--weights", "missing", "--debug")).err).toMatch(/\n {4}at /);
  });

  it("of usage found while running exit with 64", async () => {
    const { code, err } = await sqa("attack", "--weights", "bad");
    expect(code).toBe(64);
    expect(err).toMatch(/^error: expected .*\n[\s\S]*see sqa attack --help\n$/);
  });

  it("of missing files exit with 66, in every command", async () => {
    const trainedOn = (images: string) =>
      ["train", "--model", "small", "--method", "fgsm(epsilon=0.1)"].concat("--images", images);
    const nowhere = [
      ["evaluate", "nowhere"],
      ["audit", "nowhere.pt2"],
      ["train", "nowhere"],
      [
        "train",
        "--model",
        "small",
        "--images",
        "mnist",
        "--method",
        "ensemble-adversarial(sources=[nowhere])",
      ],
      ["denoiser", "nowhere"],
      ["merge", "nowhere"],
      ["export", "nowhere", "model.onnx"],
      ["report", "nowhere", "--to", "text"],
      ["import", "nowhere.pt", "--out", "weights.safetensors"],
      ["list", "runs", "nowhere"],
      ["list", "--config", "nowhere.yaml"],
      ...["./nowhere", "nowhere.npz", "cifar100(folder=nowhere)"].map(trainedOn),
      ...["npz(path=nowhere.npz)", "npz(path=nowhere.npy)", "image-list(path=nowhere.csv)"].map(trainedOn),
      trainedOn("parquet(path=nowhere.parquet)"),
      ["dashboard", "--models", "nowhere"],
    ];
    for (const words of nowhere) {
      using captured = captureOutput();
      const code = await main(words);
      expect({ words, code }, captured.stderr.text).toEqual({ words, code: 66 });
      expect(captured.stderr.text).toContain("nowhere");
    }
  }, 60_000);

  it("exit with 70 where 1 is an answer, also before the command is loaded", async () => {
    const fails = () => Promise.reject(new Error("cannot be loaded"));
    const answering = { ...table, judge: { summary: "judge", answersByCode: true, load: fails } };
    using captured = captureOutput();
    expect(await main(["judge"], answering)).toBe(70);
    expect(await main(["list"], answering)).toBe(1);
    for (const name of ["audit", "merge"]) expect(await main(["--import", "absent.mjs", name])).not.toBe(1);
    expect(captured.stderr.text).toContain("cannot be loaded");
    expect(Object.entries(commands).filter(([, entry]) => entry.answersByCode === true)).toMatchObject([
      ["audit", {}],
      ["merge", {}],
    ]);
  });

  it("leave other exit codes alone", async () => {
    expect((await sqa("attack", "--weights", "seven")).code).toBe(7);
  });
});

describe("Ctrl-C", () => {
  it("aborts the run, which exits with 75", async () => {
    const wait = defineCommand({
      name: "wait",
      summary: "wait",
      options: z.strictObject({}),
      examples: ["sqa wait"],
      run: (_, { signal }) =>
        new Promise((resolve, reject) => {
          signal.addEventListener("abort", () => (stops ? resolve(0) : reject(signal.reason)));
          process.listeners("SIGINT").at(-1)!("SIGINT");
        }),
    });
    let stops = true;
    for (stops of [true, false]) {
      using captured = captureOutput();
      expect(await main(["wait"], { wait: { summary: "wait", load: async () => wait } })).toBe(75);
      expect(captured.stderr.text).toBe("stopping; once more to end at once\n");
    }
  });
});

describe("Ctrl-C in a command that keeps nothing", () => {
  it("is left to the system, which heeds it within native calls too", async () => {
    const before = process.listenerCount("SIGINT");
    const seen: number[] = [];
    const measure = defineCommand({
      name: "measure",
      summary: "measure",
      options: z.strictObject({}),
      endsAtOnce: true,
      examples: ["sqa measure"],
      run: async () => {
        seen.push(process.listenerCount("SIGINT"));
        return 0;
      },
    });
    expect(await main(["measure"], { measure: { summary: "measure", load: async () => measure } })).toBe(0);
    expect(seen).toEqual([before]);
  });
});

describe("defineCommand", () => {
  it("refuses what would not work", () => {
    const base = { name: "x", summary: "x", examples: ["sqa x"], run: async () => 0 };
    expect(() => defineCommand({ ...base, options: z.strictObject({}), examples: [] })).toThrow(
      "must have an example",
    );
    for (const name of ["quiet", "noClip", "Step", "step-size"]) {
      expect(() => defineCommand({ ...base, options: z.strictObject({ [name]: z.number() }) })).toThrow(
        `option "${name}"`,
      );
    }
  });
});
