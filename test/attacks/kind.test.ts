import { afterAll, describe, expect, test } from "vitest";
import * as z from "zod";
import {
  type Attack,
  attacks,
  checkAttacks,
  cwL2,
  defineAttack,
  fgsm,
  pgd,
  restarts,
  worstCase,
} from "../../src/attacks/index.js";
import { defenses } from "../../src/defenses/index.js";

describe("attacks as text", () => {
  test("fill in defaults and read gray levels", () => {
    const attack = attacks.parse("pgd(epsilon=8/255, steps=7)");
    expect(attack.options).toEqual({ ...pgd().options, epsilon: 8 / 255, steps: 7 });
    expect(String(attack)).toBe("pgd(epsilon=8/255, steps=7)");
    expect(String(attacks.parse("fgsm(epsilon=0.3, labels=given)"))).toBe("fgsm");
  });

  test("nest in combinators, with defaults there too", () => {
    const attack = attacks.parse("restarts(worst-case(fgsm(), cw-linf(steps=5)), times=3)");
    expect(attack.inside[0]?.inside.map(({ name }) => name)).toEqual(["fgsm", "cw-linf"]);
    expect(attack.options).toEqual({ times: 3, selectionDraws: 8 });
    expect(String(restarts(worstCase([fgsm(), pgd({ steps: 5 })])))).toBe(
      "restarts(worst-case(fgsm(), pgd(steps=5)))",
    );
  });

  test.each([
    ["pdg(steps=7)", 'unknown attack "pdg"; did you mean "pgd"?'],
    ["restart(pgd())", 'unknown attack "restart"; did you mean "restarts"?'],
    ["zzzzzz", `known: ${attacks.names.join(", ")}`],
    ["pgd(step=7)", 'attack pgd: unknown option "step"; did you mean "steps"?'],
    ["pgd(steps=7.5)", 'attack pgd: option "steps" cannot be 7.5; accepted: a whole number of at least 1'],
    ["pgd(steps=0)", "accepted: a whole number of at least 1 (for no steps, use the attack noise)"],
    ["bim(steps=0)", 'attack bim: option "steps" cannot be 0; accepted: a whole number in [1, 10000000]'],
    ["pgd(steps=1e15)", 'attack pgd: option "steps" cannot be 1000000000000000; accepted: a whole'],
    ["pgd(stepSize=0)", 'attack pgd: option "stepSize" cannot be 0; accepted: a number in (0, 1000000]'],
    ["pgd(epsilon=0)", 'attack pgd: option "epsilon" cannot be 0; accepted: a number in (0, 1000000]'],
    ["pgd(epsilon=-1)", 'attack pgd: option "epsilon" cannot be -1'],
    ["pgd(epsilon=8)", "gray levels are written as in 8/255"],
    ...["fgsm", "madry-cw", "cw-linf", "ls-pga"].map((name): [string, string] => [
      `${name}(epsilon=8)`,
      `attack ${name}: option "epsilon" cannot be 8; accepted: a number in (0, 1]; ` +
        "gray levels are written as in 8/255",
    ]),
    ["fab(epsilon=8)", "gray levels are written as in 8/255"],
    ["fab-t(epsilon=8)", "gray levels are written as in 8/255"],
    ["fab(norm=l2, epsilon=1e7)", "accepted: a number in (0, 1000000]"],
    ["within(hop-skip-jump(norm=linf), epsilon=8)", "gray levels are written as in 8/255"],
    ["minimal-epsilon(pgd(), maximum=8)", "gray levels are written as in 8/255"],
    ["minimal-epsilon(pgd(norm=l2), maximum=1e7)", "accepted: a number in (0, 1000000]"],
    ["rotation-translation(angles=1000000000)", 'option "angles" cannot be 1000000000'],
    ["rotation-translation(angles=1000, shifts=100)", "angles times the square of shifts is at most 1000000"],
    ["hop-skip-jump(samples=1e9)", 'option "samples" cannot be 1000000000'],
    ["nes(samples=1e9)", 'option "samples" cannot be 1000000000'],
    ["boundary(initialTries=1e9)", 'option "initialTries" cannot be 1000000000'],
    ["square(draws=1e9)", 'option "draws" cannot be 1000000000'],
    ["worst-case(pgd(), selectionDraws=1e9)", 'option "selectionDraws" cannot be 1000000000'],
    ["fab-t(targets=1e9)", 'option "targets" cannot be 1000000000'],
    ["pgd(norm=l0)", "accepted: linf | l2 | l1"],
    ["pgd(target=most)", "accepted: none | next | least-likely | a whole number of at least 0"],
    ["cw-l2(learningRate=1e30)", 'option "learningRate" cannot be 1e+30; accepted: a number in (0, 1]'],
    ["ead(learningRate=1e30)", 'option "learningRate" cannot be 1e+30; accepted: a number in (0, 1]'],
    ["pgd(fgsm())", "attack pgd: takes options such as a=1, given fgsm()"],
    ["restarts()", "attack restarts: needs one attack inside it, given 0"],
    ["restarts(pgd(), fgsm())", "attack restarts: needs one attack inside it, given 2"],
    ["restarts(pgd(), time=2)", 'attack restarts: unknown option "time"; did you mean "times"?'],
    ["pgd(steps=7", 'expected "," or ")"'],
  ])("%s is refused", (text, message) => {
    expect(() => attacks.parse(text)).toThrow(RangeError);
    expect(() => attacks.parse(text)).toThrow(message);
  });

  test("an l2 radius may be above 1, and a minimizing attack has none", () => {
    expect(pgd({ norm: "l2", epsilon: 2 }).traits).toMatchObject({ norm: "l2", radius: 2 });
    expect(attacks.parse("fab(norm=l2, epsilon=2)").traits).toMatchObject({ norm: "l2", radius: 2 });
    expect(attacks.parse("within(boundary(), epsilon=2)").traits).toMatchObject({ norm: "l2", radius: 2 });
    expect(cwL2().traits).toMatchObject({ norm: "l2", radius: undefined });
  });
});

describe("attacks from outside of the package", () => {
  let forget = () => {};
  afterAll(() => forget());
  const shift = defineAttack("test-shift", {
    summary: "adds a constant to every pixel",
    options: z.strictObject({ by: z.number().min(0).max(1).default(0.1).describe("constant that is added") }),
    traits: ({ by }) => ({ norm: "linf", radius: by, usesGradients: false, randomized: false }),
    run: ({ by }, _, images) => images.add(by).clamp(0, 1),
  });

  test("are unknown until they are registered, and then written and read like all others", () => {
    expect(() => attacks.parse("test-shift")).toThrow('unknown attack "test-shift"');
    forget = attacks.register(shift);
    expect(String(attacks.parse("restarts(test-shift(by=0.2))"))).toBe(String(restarts(shift({ by: 0.2 }))));
    expect(attacks.definition("test-shift").summary).toBe("adds a constant to every pixel");
  });

  test("are refused under a name that is taken, and where they are of another kind", () => {
    expect(() => attacks.register(shift)).toThrow(
      'attack "test-shift" is registered already: choose another name',
    );
    const again = defineAttack("pgd", {
      ...shift,
      traits: () => pgd().traits,
      run: (_, __, images) => images,
    });
    expect(() => attacks.register(again)).toThrow(RangeError);
    const defense = defenses.definition("sqa");
    expect(() => attacks.register(defense as never)).toThrow(
      'takes definitions of the kind "attack", given the defense "sqa"',
    );
    expect(() => attacks.register({} as never)).toThrow(TypeError);
  });

  test("go where a list of attacks is asked for, and nothing else does", () => {
    expect(() => checkAttacks([pgd(), shift()])).not.toThrow();
    expect(() => checkAttacks([pgd, fgsm()] as unknown as Attack[])).toThrow(
      "attacks must hold attacks such as pgd(), not a function",
    );
    expect(() => checkAttacks(["pgd"] as never, "trials")).toThrow(
      'trials must hold attacks such as pgd(), not "pgd"',
    );
    expect(() => checkAttacks(pgd() as never)).toThrow("attacks must be a list of attacks, not a function");
  });
});
