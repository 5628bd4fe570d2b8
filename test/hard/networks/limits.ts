/** Differences of logits and gradients, as shares of the largest; 0 for the same bits. */
export interface Differences {
  readonly logits: number;
  readonly gradient: number;
}

/** Row of the table: differences from PyTorch in float32, and from its float64. */
export interface NetworkRow {
  readonly network: string;
  readonly static?: Differences;
  readonly free?: Differences;
  readonly onnx?: Differences;
  /** PyTorch's own float32 and ONNX in float32, from PyTorch's float64. */
  readonly rounding: Differences;
  readonly onnxRounding?: Differences;
  /** ONNX in float64, from PyTorch's float64. */
  readonly onnxExact?: Differences;
  /** The same with the values of the .pt2 file before ReLUs and maxima. */
  readonly onnxSameSides?: Differences;
  readonly refused?: string;
}

/** Largest differences that rounding explains. */
const limits = { pt2: 1e-5, onnx: 1e-4, exact: 1e-5 };

/**
 * Differences of a network that rounding does not explain, in words. A gradient of ONNX may be far from
 * PyTorch's where float64, or the same sides of ReLUs and maxima, show that it jumps there.
 */
export function faultsOf({ network, refused, ...row }: NetworkRow): string[] {
  if (refused !== undefined) return [`${network}: ${refused}`];
  const within = (form: keyof typeof row, part: keyof Differences, limit: number) => {
    const found = row[form]?.[part];
    // NaN lies within no limit.
    if (found === undefined || found <= limit) return [];
    return [`${network}: ${form}: ${part} differ by ${found.toExponential(1)} of the largest, over ${limit}`];
  };
  const isExplained = [row.onnxExact, row.onnxSameSides].some(
    (form) => (form?.gradient ?? 1) <= limits.exact,
  );
  return [
    ...(["static", "free", "onnx"] as const).flatMap((form) =>
      row[form] === undefined ? [`${network}: ${form}: no file was compared`] : [],
    ),
    ...within("static", "logits", limits.pt2),
    ...within("static", "gradient", limits.pt2),
    ...within("free", "logits", limits.pt2),
    ...within("free", "gradient", limits.pt2),
    ...within("onnx", "logits", limits.onnx),
    ...(isExplained ? [] : within("onnx", "gradient", limits.onnx)),
  ];
}
