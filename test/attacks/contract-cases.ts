import { attacks } from "../../src/attacks/index.js";

/** Fewer steps than the defaults where those would take seconds; a new attack is tested with its defaults. */
const short: Record<string, string[]> = {
  fgsm: ["fgsm(epsilon=0.05)"],
  pgd: [
    "pgd(epsilon=0.05, stepSize=0.01, steps=8)",
    "pgd(norm=l2, epsilon=0.4, stepSize=0.1, steps=8, loss=margin)",
    "pgd(epsilon=0.05, stepSize=0.02, steps=3, restarts=3, selectionDraws=2)",
    "pgd(epsilon=0.05, stepSize=0.02, steps=3, loss=dlr)",
    "pgd(norm=l1, epsilon=3, stepSize=1, steps=5)",
    "pgd(epsilon=0.05, stepSize=0.02, steps=3, target=next, loss=margin)",
    "pgd(epsilon=0.05, stepSize=0.02, steps=3, target=least-likely, loss=dlr, restarts=2)",
  ],
  bim: ["bim(epsilon=0.05, stepSize=0.01, steps=4)"],
  "mi-fgsm": [
    "mi-fgsm(epsilon=0.05, stepSize=0.01, steps=4)",
    "mi-fgsm(norm=l2, epsilon=0.4, stepSize=0.1, steps=4)",
  ],
  "ni-fgsm": ["ni-fgsm(epsilon=0.05, stepSize=0.01, steps=4)"],
  apgd: [
    "apgd(epsilon=0.05, steps=8)",
    "apgd(norm=l2, epsilon=0.4, steps=6, loss=dlr, start=image)",
    "apgd(norm=l1, epsilon=3, steps=8, restarts=2)",
    "apgd(epsilon=0.05, steps=8, stopWhenFooled=true, loss=margin)",
  ],
  "apgd-t": ["apgd-t(epsilon=0.05, steps=4, targets=2)"],
  "cw-linf": ["cw-linf(epsilon=0.05, steps=8)"],
  "madry-cw": ["madry-cw(epsilon=0.05, steps=8)"],
  deepfool: ["deepfool(steps=6)", "deepfool(norm=linf, steps=6)"],
  ead: [
    "ead(steps=30, binarySearchSteps=2, initialConstant=1)",
    "ead(steps=10, binarySearchSteps=1, decisionRule=l1)",
  ],
  ddn: ["ddn(steps=10)"],
  fmn: ["fmn(steps=10)", "fmn(norm=l2, steps=6)", "fmn(norm=l1, steps=6)"],
  unconstrained: ["unconstrained(steps=8)"],
  fab: ["fab(steps=3)", "fab(norm=l2, epsilon=0.3, steps=3)", "fab(norm=l1, steps=3)"],
  "fab-t": ["fab-t(steps=3, targets=2)", "fab-t(epsilon=0.05, steps=3, targets=2)"],
  "cw-l2": ["cw-l2(steps=30, binarySearchSteps=2, initialConstant=1)"],
  autoattack: [
    "autoattack(epsilon=0.05, steps=4, queries=6, targets=2)",
    "autoattack(epsilon=0.05, version=randomized, steps=3, queries=4, draws=2, selectionDraws=2)",
  ],
  nes: ["nes(epsilon=0.05, steps=3, samples=10, sigma=0.01, draws=2)"],
  spsa: [
    "spsa(epsilon=0.05, steps=3, samples=10, draws=2)",
    "spsa(norm=l2, epsilon=0.4, steps=2, samples=6, draws=2)",
  ],
  "hop-skip-jump": [
    "hop-skip-jump(steps=3, samples=10, draws=3)",
    "hop-skip-jump(norm=linf, steps=2, samples=10, draws=3)",
  ],
  boundary: ["boundary(steps=8, draws=3)", "boundary(norm=linf, steps=8, draws=3)"],
  noise: [
    "noise(epsilon=0.05)",
    "noise(epsilon=0.05, distribution=gaussian, tries=3)",
    "noise(norm=l2, epsilon=0.4, distribution=gaussian, tries=3)",
  ],
  "rotation-translation": ["rotation-translation(angles=3, shifts=3, draws=2)"],
  square: ["square(epsilon=0.05, queries=12, draws=3)", "square(norm=l2, epsilon=0.4, queries=12, draws=3)"],
};

/** Attacks of the package that hold no other and take any classifier. */
export const definitions = attacks.definitions.filter(
  ({ name, takes }) => takes === undefined && name !== "ls-pga" && !name.startsWith("test-"),
);
/** Attacks on levels of pixels, which the networks of the others do not have. */
export const onLevels = [
  "ls-pga(epsilon=0.2, steps=4)",
  "ls-pga(epsilon=0.1, steps=3, step=gradient, logitStep=100, loss=margin)",
  "ls-pga(epsilon=0.2, steps=3, step=gradient, logitStep=20, randomStart=false, labels=predicted)",
];
export const cases = definitions.map(({ name }) => name).flatMap((name) => short[name] ?? [name]);
cases.push(
  "restarts(cw-linf(epsilon=0.05, steps=4), times=2)",
  "worst-case(fgsm(epsilon=0.05), madry-cw(steps=4))",
  "within(hop-skip-jump(norm=linf, steps=2, samples=10, draws=3), epsilon=0.1)",
  "within(ddn(steps=10), epsilon=0.3, at=radius)",
  "expectation(pgd(epsilon=0.05, stepSize=0.02, steps=3), draws=3, mean=softmax)",
  "temperature(pgd(epsilon=0.05, stepSize=0.02, steps=3), value=5)",
  "jacobian-scaling(apgd(epsilon=0.05, steps=4))",
  "minimal-epsilon(pgd(steps=3), maximum=0.1, rounds=3)",
);
