// Prints what a block gives in bfloat16, and its gradients: run by conv-block.test.ts for an instruction set,
// which is chosen once in a process.
import { deriveSeed } from "../../src/base/index.js";
import { convBlock, countedNormal, grad, imageIdRange } from "../../src/engine/index.js";

const normal = (name: string, shape: readonly number[]) =>
  countedNormal(
    { seed: deriveSeed(9, name), draw: 0, imageIds: imageIdRange(0, shape[0]!) },
    0,
    shape.slice(1),
  );

/** The values of the output, and of the gradients by input, weight and bias. */
export function bfloat16Block(): number[][] {
  const [input, weight] = [
    normal("input", [3, 48, 6, 6]).requireGrad(),
    normal("weight", [16, 48, 3, 3]).requireGrad(),
  ];
  const bias = normal("bias", [16, 1]).reshape([16]).detach().requireGrad();
  const output = convBlock(input, weight, bias, { bfloat16: true });
  const slope = normal("slope", output.shape);
  return [output, ...grad(output.mul(slope).sum(), [input, weight, bias])].map((tensor) =>
    tensor!.toNumbers(),
  );
}

if (process.argv[2] === "print") process.stdout.write(JSON.stringify(bfloat16Block()));
