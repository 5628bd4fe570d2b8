/** Public operator in place of an internal one, which trusts its arguments more than a file may ask. */
export interface Replacement {
  readonly name: string;
  /** Names of its arguments by those of the internal operator, where they differ. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Switches that the internal operator does without. */
  readonly switches?: Readonly<Record<string, boolean>>;
}

const batchNorm: Replacement = { name: "batch_norm", switches: { training: false, cudnn_enabled: true } };

/** Internal operators of decomposed graphs, each with the public one that takes its place. */
export const replacements: ReadonlyMap<string, Replacement> = new Map<string, Replacement>([
  ["native_batch_norm", batchNorm],
  ["_native_batch_norm_legit", batchNorm],
  ["_native_batch_norm_legit_no_training", batchNorm],
  ["native_group_norm", { name: "group_norm", renamed: { group: "num_groups" } }],
  ["_fused_rms_norm", { name: "rms_norm" }],
  ["native_channel_shuffle", { name: "channel_shuffle" }],
  ["_reshape_alias", { name: "reshape", renamed: { size: "shape" } }],
  ["_unsafe_view", { name: "reshape", renamed: { size: "shape" } }],
  ["_scaled_dot_product_flash_attention_for_cpu", { name: "scaled_dot_product_attention" }],
  ["_scaled_dot_product_attention_math", { name: "scaled_dot_product_attention" }],
]);
