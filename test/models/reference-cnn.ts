/** Values of a network's state by name, in PyTorch's layouts. */
export type State = ReadonlyMap<string, readonly number[]>;

/** Convolution 3x3 with padding 1, ReLU and 2x2 max-pooling of one image, written out. */
function block(
  state: State,
  x: readonly number[],
  from: number,
  to: number,
  side: number,
  name: string,
): number[] {
  const weight = state.get(`${name}.weight`)!;
  const bias = state.get(`${name}.bias`)!;
  const half = Math.floor(side / 2);
  const pooled = new Array<number>(to * half * half).fill(0); // pooling ReLU's outputs: at least 0
  for (let o = 0; o < to; o++) {
    for (let i = 0; i < half * 2; i++) {
      for (let j = 0; j < half * 2; j++) {
        let sum = bias[o]!;
        for (let c = 0; c < from; c++) {
          for (let k = 0; k < 9; k++) {
            const [row, column] = [i + Math.floor(k / 3) - 1, j + (k % 3) - 1];
            if (row < 0 || row >= side || column < 0 || column >= side) continue;
            sum += weight[(o * from + c) * 9 + k]! * x[(c * side + row) * side + column]!;
          }
        }
        const at = (o * half + (i >> 1)) * half + (j >> 1);
        pooled[at] = Math.max(pooled[at]!, sum);
      }
    }
  }
  return pooled;
}

function dense(state: State, x: readonly number[], name: string): number[] {
  const weight = state.get(`${name}.weight`)!;
  return state
    .get(`${name}.bias`)!
    .map((b, o) => x.reduce((sum, v, i) => sum + v * weight[o * x.length + i]!, b));
}

/** Logits of the vanilla CNN with `c`, 2c and 4c filters for one image of 28 x 28, in float64. */
export function referenceLogits(state: State, pixels: readonly number[], c: number): number[] {
  const second = block(state, block(state, pixels, 1, c, 28, "conv1"), c, 2 * c, 14, "conv2");
  const third = block(state, second, 2 * c, 4 * c, 7, "conv3");
  return dense(
    state,
    dense(state, third, "fc1").map((value) => Math.max(0, value)),
    "fc2",
  );
}
