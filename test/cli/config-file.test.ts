import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { FileFormatError } from "../../src/base/index.js";
import { readConfigFile } from "../../src/cli/frame/config-file.js";
import { camelCase, kebabCase } from "../../src/cli/frame/option-names.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-config-"));
const path = join(folder, "run.yaml");
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string) {
  writeFileSync(path, text);
  return readConfigFile(path, ["network", "stepSize", "attack", "limit"]);
}

describe("readConfigFile", () => {
  it("reads options in kebab-case and camelCase with their lines", () => {
    const { values, places } = read(
      "# a comment\nnetwork: small\n\nstep-size: 2/255\nattack:\n  - fgsm\n  - {name: pgd}\n",
    );
    expect(values).toEqual({ network: "small", stepSize: "2/255", attack: ["fgsm", { name: "pgd" }] });
    expect([...places]).toEqual([
      ["network", `${path}:2`],
      ["stepSize", `${path}:4`],
      ["attack", `${path}:5`],
    ]);
    expect(read("stepSize: 1").values).toEqual({ stepSize: 1 });
  });

  it("takes an empty file", () => {
    expect(read("").values).toEqual({});
    expect(read("# nothing\n").values).toEqual({});
  });

  it.each([
    ["limit: 3\nstep-sise: 1\n", ':2: unknown option "step-sise"; did you mean "step-size"?'],
    ["zzzzzz: 1\n", ':1: unknown option "zzzzzz"; known: network, step-size, attack, limit'],
    ["limit: 3\nimport: ./mine.mjs\n", ':2: option "import" is for the command line, not for a file'],
    [
      "limit: 3\nattack: fgsm(epsilon: 0.3)\n",
      ':2: text with ": " in it goes in quotes; options of a value are',
    ],
    ["limit: 3\nlimit: 4\n", ":2: Map keys must be unique"],
    ["step-size: 3\nstepSize: 4\n", ':2: option "stepSize" is given twice'],
    ["network: [small\nlimit: 3\n", ":2: "],
    ["- small\n", ':1: expected options such as "limit: 1000"'],
    ["3: small\n", ":1: expected the name of an option, given 3"],
    ["limit: 3\n---\nlimit: 4\n", ":2: expected one document, found a second after ---"],
    ["limit: *nowhere\n", ":1: Unresolved alias"],
  ])("refuses %j", (text, message) => {
    expect(() => read(text)).toThrow(FileFormatError);
    expect(() => read(text)).toThrow(`${path}${message}`);
  });

  it("offers no name that stands in the files of runs alone", () => {
    writeFileSync(path, "own: 1\nzzzzzz: 1\n");
    const message = `${path}:2: unknown option "zzzzzz"; known: limit`;
    expect(() => readConfigFile(path, ["limit"], ["own"])).toThrow(new FileFormatError(message));
  });

  it("refuses aliases that expand without end", () => {
    const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 9; i++) {
      const before = String.fromCharCode(96 + i);
      bomb.push(`- &${String.fromCharCode(97 + i)} [${Array(9).fill(`*${before}`).join(", ")}]`);
    }
    const text = `attack:\n- ${bomb[0]!.slice(3)}\n${bomb.slice(1).join("\n")}\n`;
    expect(() => read(text)).toThrow(/run\.yaml:1: Excessive alias count/);
  });

  it("names a file that is not there", () => {
    expect(() => readConfigFile(join(folder, "none.yaml"), [])).toThrow(
      /^cannot read .*none\.yaml: there is no such file/,
    );
  });
});

describe("names", () => {
  it("go from one form to the other", () => {
    expect(camelCase("step-size")).toBe("stepSize");
    expect(kebabCase("stepSize")).toBe("step-size");
    expect(camelCase(kebabCase("l2Radius"))).toBe("l2Radius");
  });
});
