import { operators, type Tensor } from "../../../../engine/index.js";
import { anyNumber, type NodeView, type OnnxOperators, operator } from "../node.js";
import { checkBroadcast, isFloat } from "../values.js";

/** alpha A B + beta C, with A and B transposed where it is asked for. */
export function gemm(node: NodeView, a: Tensor, b: Tensor, c?: Tensor): Tensor {
  const [alpha, beta] = [node.float("alpha", 1), node.float("beta", 1)];
  const [turnA, turnB] = [node.int("transA", 0) !== 0, node.int("transB", 0) !== 0];
  if (a.shape.length !== 2 || b.shape.length !== 2) throw node.refuse("A and B must be matrices");
  const left = turnA ? a.permute([1, 0]) : a;
  // The kernel that PyTorch's linear layers use, bias included.
  if (turnB && alpha === 1 && beta === 1 && c?.shape.length === 1 && isFloat(a)) {
    return operators.linear(left, b, c);
  }
  const product = left.matmul(turnB ? b.permute([1, 0]) : b);
  const scaled = alpha === 1 ? product : product.mul(alpha);
  if (c === undefined) return scaled;
  return scaled.add(beta === 1 ? c : c.mul(beta));
}

/** Products of matrices. */
export const matrices: OnnxOperators = {
  Gemm: operator([2, 3], gemm),
  MatMul: operator(2, (node, a, b) => {
    checkBroadcast(node, [...a.shape.slice(0, -1), 1], [...b.shape.slice(0, -2), 1, b.shape.at(-1) ?? 1]);
    return a.matmul(b);
  }),
  Einsum: operator([1, anyNumber], (node, ...inputs) => {
    const equation = node.string("equation", "");
    if (!/^[A-Za-z,.\s]*(->[A-Za-z.\s]*)?$/.test(equation)) throw node.refuse("its equation cannot be read");
    return operators.einsum(equation.replaceAll(/\s/g, ""), inputs);
  }),
};
