import { expect, it } from "vitest";
import { noGrad } from "../../src/engine/index.js";
import { small } from "../../src/models/index.js";
import { attackImage } from "../../src/server/playground/attack-image.js";

it("says of a model whose weights are NaN that it answers to no class", () => {
  const model = small().build({ seed: 0, defenses: [] });
  noGrad(() => {
    for (const weights of model.module.parameters().values()) weights.copy_(weights.fullLike(Number.NaN));
  });
  for (const attack of ["pgd(epsilon=0.3)", "noise(epsilon=0.3)"]) {
    for (const label of [null, 3]) {
      const request = { model: { run: "diverged" }, attack, image: { pixels: [], label }, seed: 0 };
      expect(() => attackImage(request, model, { pixels: new Float32Array(784), label })).toThrow(
        /^model small answers with numbers that are not finite/,
      );
    }
  }
  model.module.dispose();
});
