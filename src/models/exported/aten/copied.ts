import type { Tensor } from "../../../engine/index.js";
import type { Pt2Node } from "../../../files/index.js";
import type { GraphNode, GraphValue, NodeContext } from "../graph.js";
import { slotsOf } from "./arguments.js";

const parameters = ["self", "src"].map((name) => ({ name, type: "Tensor", written: false }));

/**
 * Node of `copy`: a tensor in the shape and type of another, as graphs without assignments write
 * `x[:, 0] = y`. libtorch's own has no gradient. Undefined for other targets.
 */
export function lowerCopy({ name, target, inputs, outputs }: Pt2Node): GraphNode | undefined {
  const [output] = outputs;
  if (target !== "torch.ops.aten.copy.default" || output?.kind !== "tensor") return undefined;
  const slots = slotsOf(parameters, new Map(inputs.map((input) => [input.name, input.value])));
  const both = (values: readonly GraphValue[], context: NodeContext) =>
    slots.make(values, context) as [Tensor, Tensor];
  return {
    name,
    operator: "aten.copy",
    inputs: slots.inputs,
    outputs: [output.name],
    run(values, context) {
      const [self, from] = both(values, context);
      return [from.to(self.dtype).expand(self.shape).clone()];
    },
    standIn(values, context) {
      const [self, from] = both(values, context);
      return from.to("float32").expand(self.shape).clone();
    },
  };
}
