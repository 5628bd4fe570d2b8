import { describe, expect, test } from "vitest";
import { attacks, combinators, cwL2, parseAttack, pgd } from "../../src/attacks/index.js";

describe("attacks as text", () => {
  test("fill in defaults and read gray levels", () => {
    const attack = parseAttack("pgd(epsilon=8/255, steps=7)");
    expect(attack.options).toEqual({ ...pgd().options, epsilon: 8 / 255, steps: 7 });
    expect(attack.label).toContain("pgd(epsilon=8/255, stepSize=0.01, steps=7, norm=linf");
    expect(parseAttack("fgsm").label).toBe("fgsm(epsilon=0.3, labels=given)");
  });

  test("nest in combinators, with defaults there too", () => {
    const attack = parseAttack("restarts(worst-case(fgsm(), cw-linf(steps=5)), times=3)");
    expect(attack.call.of?.[0]?.of?.map((call) => call.name)).toEqual(["fgsm", "cw-linf"]);
    expect(attack.options).toEqual({ times: 3, selectionDraws: 8 });
  });

  test.each([
    ["pdg(steps=7)", 'unknown attack "pdg"; did you mean "pgd"?'],
    ["restart(pgd())", 'unknown attack "restart"; did you mean "restarts"?'],
    ["zzzzzz", `known: ${[...attacks.keys(), ...combinators.keys()].join(", ")}`],
    ["pgd(step=7)", 'attack pgd: unknown option "step"; did you mean "steps"?'],
    ["pgd(steps=7.5)", 'attack pgd: option "steps" cannot be 7.5; accepted: a whole number of at least 0'],
    ["pgd(epsilon=-1)", 'attack pgd: option "epsilon" cannot be -1'],
    ["pgd(epsilon=8)", "gray levels are written as in 8/255"],
    ["fgsm(epsilon=8)", 'attack fgsm: option "epsilon" cannot be 8; accepted: a number in [0, 1]'],
    ["pgd(norm=l0)", "accepted: linf | l2 | l1"],
    ["pgd(target=most)", "accepted: none | next | least-likely | a whole number of at least 0"],
    ["pgd(fgsm())", "attack pgd: takes no attack inside it, given fgsm"],
    ["restarts()", "attack restarts: needs one attack inside it, given 0"],
    ["restarts(pgd(), fgsm())", "attack restarts: needs one attack inside it, given 2"],
    ["restarts(pgd(), time=2)", 'attack restarts: unknown option "time"; did you mean "times"?'],
    ["pgd(steps=7", 'expected "," or ")"'],
  ])("%s is refused", (text, message) => {
    expect(() => parseAttack(text)).toThrow(RangeError);
    expect(() => parseAttack(text)).toThrow(message);
  });

  test("an l2 radius may be above 1, and a minimizing attack has none", () => {
    expect(pgd({ norm: "l2", epsilon: 2 }).traits).toMatchObject({ norm: "l2", radius: 2 });
    expect(cwL2().traits).toMatchObject({ norm: "l2", radius: undefined });
  });
});
