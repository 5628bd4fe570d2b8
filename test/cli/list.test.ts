import { describe, expect, it } from "vitest";
import { attacks } from "../../src/attacks/index.js";
import { main } from "../../src/cli/main.js";
import { captureOutput } from "./captured-output.js";

async function list(...words: string[]) {
  using captured = captureOutput();
  const code = await main(["list", ...words]);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

describe("sqa list", () => {
  it("names everything, with options and defaults", async () => {
    const { code, out, err } = await list();
    expect([code, err]).toEqual([0, ""]);
    for (const heading of ["attacks", "networks", "datasets", "methods", "schedules", "optimizers"]) {
      expect(out).toMatch(new RegExp(`^${heading}$`, "m"));
    }
    for (const name of [...attacks.keys(), "worst-case", "large", "fashion-mnist", "n-fgsm", "one-cycle", "sgd"]) {
      expect(out).toMatch(new RegExp(`^  ${name} `, "m"));
    }
    expect(out).toMatch(/epsilon=0\.3, stepSize=0\.01, steps=40, norm=linf/);
  });

  it("shows one kind, and one thing with all its options", async () => {
    expect((await list("schedules")).out).not.toContain("sgd");
    const { out } = await list("attacks", "pgd");
    expect(out).toMatch(/^pgd: /);
    expect(out).toMatch(/^norm +linf +linf \| l2 \| l1 +norm of the radius and of a step$/m);
    const network = (await list("networks", "small")).out;
    expect(network).toMatch(/98442 parameters\nlayers: conv1, relu1, .*\nthe paper's places of SQA.*relu1=1, relu2=2/);
  });

  it("prints JSON", async () => {
    const all = JSON.parse((await list("--json")).out);
    expect(all.optimizers[0]).toMatchObject({ name: "sgd", options: [{ name: "momentum", default: "0.9" }, {}, {}] });
    expect(JSON.parse((await list("attacks", "fgsm", "--json")).out).options[0].name).toBe("epsilon");
  });

  it("suggests the nearest name", async () => {
    for (const [words, message] of [
      [["atacks"], 'unknown kind "atacks"; did you mean "attacks"?'],
      [["attacks", "pdg"], 'unknown attack "pdg"; did you mean "pgd"?'],
      [["methods", "fgms"], 'unknown method "fgms"; did you mean "fgsm"?'],
    ] as const) {
      const { code, out, err } = await list(...words);
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain(message);
    }
  });
});
