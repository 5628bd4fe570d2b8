import { expect, it } from "vitest";
import { exportedBy, modelOf, small } from "../../src/models/index.js";
import { Flatten, Linear, Sequential } from "../../src/nn/index.js";

const network = (seed: number) => new Sequential({ flatten: new Flatten(), fc: new Linear(4, 2, { seed }) });
const own = modelOf(network, { name: "tiny", inputShape: [1, 2, 2], classes: 2 });

it("a model of a user's own says which file exports it, also when it was fitted to a data set", () => {
  const model = exportedBy(own, "./tiny.mjs", "ab12");
  const format = {
    imageShape: [1, 2, 2],
    classNames: ["a", "b"],
    statistics: { mean: [0], std: [1] },
  } as const;
  for (const architecture of [model, model.fittedTo(format, "data")]) {
    expect(architecture.own).toMatchObject({ hash: own.own!.hash, file: "./tiny.mjs", sha256: "ab12" });
    expect(architecture.build({ seed: 1 }).module.state().get("fc.weight")!.toNumbers()).toEqual(
      own.build({ seed: 1 }).module.state().get("fc.weight")!.toNumbers(),
    );
  }
  expect(own.own!.file).toBeUndefined();
});

it("an architecture of a kind stays what its text says", () => {
  const architecture = small();
  expect(exportedBy(architecture, "./tiny.mjs", "ab12")).toBe(architecture);
});
