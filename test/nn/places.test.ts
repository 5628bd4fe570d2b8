import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import {
  countedUniform,
  imageIdRange,
  operators as ops,
  scope,
  type Tensor,
  tensor,
} from "../../src/engine/index.js";
import { small } from "../../src/models/index.js";
import {
  BatchNorm2d,
  Conv2d,
  Flatten,
  Linear,
  loadState,
  Module,
  type Pass,
  ReLU,
  Sequential,
} from "../../src/nn/index.js";

const pass: Pass = {
  training: false,
  noise: { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 1) },
};
const linear = () => new Linear(3, 3, { seed: 7 });
const numbers = (tensor: Tensor) => tensor.toNumbers();
const input = tensor([1, 2, 3], [1, 3]);

/** A network of a user's own, in plain fields. */
class OwnNetwork extends Module {
  readonly first = linear();
  readonly second = linear();

  protected override forward(hidden: Tensor, how: Pass): Tensor {
    return this.second.apply(this.first.apply(hidden, how), how);
  }
}

describe("first weights", () => {
  test("are uniform within 1 / sqrt(fan in), keyed by the seed and the name in the network", () => {
    const network = new Sequential({ block: new Sequential({ fc: linear() }) });
    const noise = {
      seed: deriveSeed(7, "initialization", "block.fc.weight"),
      draw: 0,
      imageIds: imageIdRange(0, 1),
    };
    const bound = 1 / Math.sqrt(3);
    const expected = numbers(countedUniform(noise, 0, [3, 3])).map((value) => (2 * value - 1) * bound);
    const found = numbers(network.state().get("block.fc.weight")!);
    for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 6);
  });

  test.each<[string, () => Module]>([
    ["a sequence", () => new Sequential({ first: linear(), second: linear() })],
    ["a network in plain fields", () => new OwnNetwork()],
  ])("of two layers of one seed and shape differ, and are the same in another build: %s", (_, build) => {
    const [one, other] = [build().state(), build().state()];
    expect(numbers(one.get("first.weight")!)).not.toEqual(numbers(one.get("second.weight")!));
    for (const [name, value] of one) expect(numbers(value)).toEqual(numbers(other.get(name)!));
  });

  test("are the same whether a pass, the state or a field is read first", () => {
    const build = () => {
      const [first, second] = [linear(), linear()];
      return { network: new Sequential({ block: new Sequential({ first, second }) }), second };
    };
    const [byPass, byState, byField] = [build(), build(), build()];
    const output = numbers(byPass.network.apply(input, pass));
    const weight = numbers(byState.network.state().get("block.second.weight")!);
    expect(numbers(byField.second.weight)).toEqual(weight);
    expect(numbers(byPass.second.weight)).toEqual(weight);
    expect(numbers(byState.network.apply(input, pass))).toEqual(output);
  });

  test("stay as they are when a network becomes a part of another", () => {
    const inner = new Sequential({ fc: linear() });
    loadState(inner, new Map([...inner.state()].map(([name, value]) => [name, value.onesLike()])));
    const outer = new Sequential({ backbone: inner, head: linear() });
    expect(numbers(outer.state().get("backbone.fc.weight")!)).toEqual(Array(9).fill(1));
  });

  test("outlive the scope that reads them first", () => {
    const network = new Sequential({ flatten: new Flatten(), fc: linear() });
    const output = scope(() => numbers(network.apply(input, pass)));
    expect(numbers(network.apply(input, pass))).toEqual(output);
    network.dispose();
    expect(() => network.apply(input, pass)).toThrow("disposed");
  });

  test("of SMALL have the bits that committed results were trained from", () => {
    const { module } = small().build({ seed: 0 });
    const hash = createHash("sha256");
    for (const [name, value] of [...module.state()].sort(([a], [b]) => (a < b ? -1 : 1))) {
      hash.update(name).update(value.toArray() as Float32Array);
    }
    expect(hash.digest("hex").slice(0, 16)).toBe("3dcfbcf0c71432d7");
  });
});

describe("an error of a layer in a network begins with the layer's name", () => {
  const image = ops.zeros([1, 1, 8, 8]);
  const message = (network: Module, given = image) => {
    try {
      network.apply(given, pass);
    } catch (error) {
      return error as Error;
    }
    throw new Error("nothing was thrown");
  };
  const convolution = () => new Conv2d(3, 4, 3, { seed: 0 });

  test("in a sequence within another, once, and in the stack as well", () => {
    const network = new Sequential({ features: new Sequential({ relu: new ReLU(), conv1: convolution() }) });
    const error = message(network);
    expect(error.name).toBe("TensorError");
    expect(error.message).toMatch(/^in layer "features\.conv1": aten::conv2d: Given groups=1/);
    expect(error.message.match(/in layer/g)).toHaveLength(1);
    expect(error.stack).toContain(error.message);
  });

  test("where convolution and normalization are evaluated as one, and in fields of a network", () => {
    const folded = new Sequential({ conv1: convolution(), norm1: new BatchNorm2d(4) });
    expect(message(folded).message).toMatch(/^in layer "conv1": aten::conv2d/);
    expect(message(new OwnNetwork()).message).toMatch(/^in layer "first": aten::linear/);
  });

  test("but not where the layer is all there is, or the error cannot be changed", () => {
    expect(message(convolution()).message).toMatch(/^aten::conv2d/);
    class Stopped extends ReLU {
      protected override forward(): Tensor {
        throw Object.freeze(new Error("stop"));
      }
    }
    expect(message(new Sequential({ stopped: new Stopped() })).message).toBe("stop");
  });

  test("also where a layer is given or gives no tensor", () => {
    class Forgetful extends ReLU {
      protected override forward(): Tensor {
        return undefined as never;
      }
    }
    const error = message(new Sequential({ own: new Forgetful() }));
    expect(error.message).toBe('in layer "own": the output must be a tensor, not undefined');
    expect(message(new ReLU(), [1] as never).message).toBe("input must be a tensor, not [1]");
    expect(() => new ReLU().apply(image, undefined as never)).toThrow("pass must be an object");
  });
});
