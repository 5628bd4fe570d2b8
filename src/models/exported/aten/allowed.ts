/**
 * ATen operators that are called, by name: pure functions of their arguments, in every overload and in place.
 * None reads files or states, none has results whose shape depends on values, and none is random.
 */
const arithmetic = `
  abs add sub rsub mul div true_divide floor_divide remainder fmod pow sqrt rsqrt square reciprocal neg
  exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh
  erf erfc erfinv sigmoid logit lerp addcmul addcdiv clamp clamp_min clamp_max clip maximum minimum fmax
  fmin hypot round floor ceil trunc fix frac sign sgn heaviside isnan isinf isfinite nan_to_num
  logaddexp logaddexp2 xlogy positive multiply subtract divide negative absolute special_expit softsign
  copysign deg2rad rad2deg sinc`;

const comparisons = `
  eq ne lt le gt ge less less_equal greater greater_equal not_equal logical_and logical_or logical_not
  logical_xor bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift
  isclose where masked_fill masked_scatter`;

const activations = `
  relu relu6 leaky_relu prelu _prelu_kernel elu selu celu gelu silu mish hardtanh hardsigmoid hardswish
  softplus hardshrink softshrink threshold glu rrelu log_sigmoid log_sigmoid_forward softmax _softmax
  log_softmax _log_softmax _safe_softmax`;

const layers = `
  linear matmul mm bmm addmm baddbmm addbmm addmv mv dot inner outer einsum tensordot kron bilinear
  scaled_dot_product_attention conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
  convolution _convolution max_pool1d max_pool2d max_pool3d max_pool2d_with_indices
  max_pool3d_with_indices avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d
  _adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d batch_norm layer_norm
  native_layer_norm group_norm instance_norm rms_norm dropout feature_dropout alpha_dropout
  feature_alpha_dropout embedding cosine_similarity pairwise_distance cdist
  fake_quantize_per_tensor_affine fake_quantize_per_channel_affine`;

const reductions = `
  sum nansum mean nanmean amax amin aminmax max min prod var std var_mean std_mean norm
  linalg_vector_norm logsumexp all any argmax argmin cumsum cumprod median topk sort argsort
  logcumsumexp cummax cummin`;

const shapes = `
  view reshape view_as reshape_as flatten unflatten permute transpose t swapaxes swapdims movedim
  moveaxis squeeze unsqueeze expand expand_as broadcast_to repeat tile repeat_interleave cat concat
  concatenate stack hstack vstack dstack split split_with_sizes tensor_split hsplit vsplit chunk
  unsafe_chunk unsafe_split unbind narrow slice select index index_select gather take_along_dim roll
  flip fliplr flipud rot90 pad constant_pad_nd reflection_pad1d reflection_pad2d replication_pad1d
  replication_pad2d diagonal tril triu pixel_shuffle pixel_unshuffle channel_shuffle
  unfold im2col col2im contiguous clone alias detach lift_fresh lift_fresh_copy
  to _to_copy type_as numpy_T mT select_scatter slice_scatter scatter scatter_add index_put index_add
  index_copy copy fill zero diag_embed ravel atleast_1d atleast_2d atleast_3d meshgrid resolve_conj
  resolve_neg`;

const factories = `
  zeros ones full arange linspace scalar_tensor eye tril_indices triu_indices zeros_like ones_like
  full_like new_zeros new_ones new_full one_hot`;

const resampling = `
  upsample_nearest1d upsample_nearest2d _upsample_nearest_exact2d upsample_bilinear2d upsample_bicubic2d
  _upsample_bilinear2d_aa _upsample_bicubic2d_aa grid_sampler grid_sampler_2d affine_grid_generator`;

const names = [arithmetic, comparisons, activations, layers, reductions, shapes, factories, resampling]
  .join(" ")
  .trim()
  .split(/\s+/);

const allowed: ReadonlySet<string> = new Set(names);

/** Overloads whose results have a shape that depends on values, or that write to a tensor of the caller's. */
const refusedOverloads: ReadonlySet<string> = new Set(["repeat_interleave.Tensor"]);

/** Assertions, which a graph runs as well without. */
export const isAssertion = (name: string) => /^(_assert_|sym_constrain_range)/.test(name);

/** Tells whether an operator, such as `relu_` or `add`, is called in an overload. */
export function isAllowed(name: string, overload: string): boolean {
  if (/(^|_)out$/.test(overload) || refusedOverloads.has(`${name}.${overload}`)) return false;
  return allowed.has(name) || (/[^_]_$/.test(name) && allowed.has(name.slice(0, -1)));
}
