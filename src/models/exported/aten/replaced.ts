/** Operator in place of another that means the same. */
export interface Replacement {
  readonly name: string;
  /** Its overloads by those that it takes the place of; its default one in place of all, where left out. */
  readonly overloads?: Readonly<Record<string, string>>;
  /** Names of its arguments by those of the other operator, where they differ. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Switches that the other operator does without. */
  readonly switches?: Readonly<Record<string, boolean>>;
}

const batchNorm: Replacement = { name: "batch_norm", switches: { training: false, cudnn_enabled: true } };
const reshape: Replacement = { name: "reshape", renamed: { size: "shape" } };

/** Operators of Python's own signs: `a & b` calls `__and__`, and `a &= b` `__iand__`, which writes to `a`. */
const signs = (
  [
    ["and", "bitwise_and", "Scalar"],
    ["or", "bitwise_or", "Scalar"],
    ["xor", "bitwise_xor", "Scalar"],
    ["lshift", "bitwise_left_shift", "Tensor_Scalar"],
    ["rshift", "bitwise_right_shift", "Tensor_Scalar"],
  ] as const
).flatMap(([sign, name, scalar]): [string, Replacement][] => {
  const overloads = { Tensor: "Tensor", Scalar: scalar };
  return [
    [`__${sign}__`, { name, overloads }],
    [`__i${sign}__`, { name: `${name}_`, overloads }],
  ];
});

/**
 * Operators with others in their place: internal ones of decomposed graphs, which trust their arguments more
 * than a file may ask; views by sizes, for layers may lay their results out otherwise; memory of any content.
 */
const replacements: ReadonlyMap<string, Replacement> = new Map<string, Replacement>([
  ...signs,
  ["native_batch_norm", batchNorm],
  ["_native_batch_norm_legit", batchNorm],
  ["_native_batch_norm_legit_no_training", batchNorm],
  ["native_group_norm", { name: "group_norm", renamed: { group: "num_groups" } }],
  ["_fused_rms_norm", { name: "rms_norm" }],
  ["native_channel_shuffle", { name: "channel_shuffle" }],
  ["_reshape_alias", reshape],
  ["_unsafe_view", reshape],
  ["view", { ...reshape, overloads: { "": "" } }],
  ["view_as", { name: "reshape_as" }],
  ["empty", { name: "zeros", overloads: { memory_format: "" } }],
  ["empty_permuted", { name: "zeros" }],
  ["empty_like", { name: "zeros_like" }],
  ["new_empty", { name: "new_zeros" }],
  ["_scaled_dot_product_flash_attention_for_cpu", { name: "scaled_dot_product_attention" }],
  ["_scaled_dot_product_attention_math", { name: "scaled_dot_product_attention" }],
]);

/** Operator in another's place, with its overload there; undefined for an operator that is called itself. */
export function replacementOf(name: string, overload: string) {
  const found = replacements.get(name);
  if (found === undefined) return undefined;
  const { overloads } = found;
  if (overloads === undefined) return { ...found, overload: "" };
  return Object.hasOwn(overloads, overload) ? { ...found, overload: overloads[overload]! } : undefined;
}
