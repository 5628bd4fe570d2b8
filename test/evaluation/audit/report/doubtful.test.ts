import { expect, it } from "vitest";
import { parse } from "yaml";
import { modelIndex } from "../../../../src/evaluation/audit/report/formats/model-index.js";
import type { AuditJson, VerdictName } from "../../../../src/evaluation/index.js";
import { wilson } from "../../../../src/trials/index.js";

it("a model card's robust accuracy names a verdict under which it says little", () => {
  const worstIn = (name: VerdictName): string => {
    const card = modelIndex({
      model: "small",
      data: "digits",
      norm: "linf",
      epsilon: 0.1,
      images: 100,
      draws: 1,
      claimGiven: true,
      verdict: { name, text: name, reasons: [] },
      clean: wilson(90, 100),
      claim: wilson(60, 100),
      worst: wilson(50, 100),
      evidence: { data: { manifestSha256: "0" } },
    } as unknown as AuditJson);
    return parse(card.split("---\n")[1]!)["model-index"][0].results[0].metrics[2].name;
  };
  const worst = "robust accuracy, worst case of all attacks in the ball, linf 0.1";
  for (const name of ["claim holds", "inconclusive", "not robust"] as const)
    expect(worstIn(name)).toBe(worst);
  for (const name of ["masked", "invalid"] as const) expect(worstIn(name)).toBe(`${worst} (audit: ${name})`);
});
