// An attack of your own, outside of the package. Once it is registered, it works like a built-in one:
// npx sqa --import ./examples/own-attack.mjs evaluate runs/NAME --attack "random-sign(epsilon=0.3)"
import { attacks, defineAttack, z } from "sqa";

export const randomSign = defineAttack("random-sign", {
  summary: "moves each pixel by plus or minus epsilon at random",
  options: z.strictObject({
    epsilon: z.number().min(0).max(1).default(0.3).describe("l-infinity radius, pixels in [0, 1]"),
  }),
  traits: ({ epsilon }) => ({ norm: "linf", radius: epsilon, usesGradients: false, randomized: true }),
  run({ epsilon }, victim, images) {
    const sign = victim.uniform(images.shape.slice(1)).ge(0.5).to("float32").mul(2).sub(1);
    return images.add(sign.mul(epsilon)).clamp(0, 1);
  },
});
attacks.register(randomSign);
