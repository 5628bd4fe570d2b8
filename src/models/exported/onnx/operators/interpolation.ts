/** Manner of interpolating an axis; the names are those of ONNX's attributes. */
export interface Interpolation {
  readonly mode: "nearest" | "linear" | "cubic";
  readonly coordinates:
    | "half_pixel"
    | "half_pixel_symmetric"
    | "pytorch_half_pixel"
    | "align_corners"
    | "asymmetric"
    | "tf_crop_and_resize";
  readonly nearest: "round_prefer_floor" | "round_prefer_ceil" | "floor" | "ceil";
  /** Parameter a of the cubic kernel. */
  readonly cubic: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
}

/** An axis of `side` elements that gets `goal`. */
export interface Axis {
  readonly side: number;
  readonly goal: number;
  readonly scale: number;
  readonly roi: readonly [start: number, end: number];
}

/**
 * Place in the input of an element of the output. Lengths are whole, as in ONNX Runtime and PyTorch; the onnx
 * package's own implementation has the fraction that a scale makes.
 */
function placeOf({ coordinates }: Interpolation, { side, goal, scale, roi }: Axis, at: number): number {
  const half = (at + 0.5) / scale - 0.5;
  switch (coordinates) {
    case "half_pixel":
      return half;
    case "half_pixel_symmetric":
      return (side / 2) * (1 - goal / (side * scale)) + half;
    case "pytorch_half_pixel":
      return goal === 1 ? 0 : half;
    case "align_corners":
      return goal === 1 ? 0 : (at * (side - 1)) / (goal - 1);
    case "asymmetric":
      return at / scale;
    case "tf_crop_and_resize": {
      const width = (roi[1] - roi[0]) * (side - 1);
      return roi[0] * (side - 1) + (goal === 1 ? width / 2 : (at * width) / (goal - 1));
    }
  }
}

const within = (side: number, at: number) => Math.max(0, Math.min(side - 1, at));

/** A place, or the whole or half number that it is meant to be: scales of a file are rounded to float32. */
function snapped(side: number, place: number): number {
  const half = Math.round(place * 2) / 2;
  return Math.abs(place - half) <= side * 2 ** -22 ? half : place;
}

/** The element that is nearest to a place. */
function nearestTo({ nearest }: Interpolation, side: number, at: number): number {
  const place = snapped(side, at);
  if (nearest === "floor") return within(side, Math.floor(place));
  if (nearest === "ceil") return within(side, Math.ceil(place));
  const rounded = nearest === "round_prefer_floor" ? Math.ceil(place - 0.5) : Math.floor(place + 0.5);
  return within(side, rounded);
}

/** Elements of the input that the output's elements are. */
export function nearestPlaces(kind: Interpolation, axis: Axis): number[] {
  return Array.from({ length: axis.goal }, (_, at) => nearestTo(kind, axis.side, placeOf(kind, axis, at)));
}

/** The kernel by which elements at a distance count (cubic: Keys 1981). */
function kernel({ mode, cubic: a }: Interpolation, distance: number): number {
  const d = Math.abs(distance);
  if (mode === "linear") return Math.max(0, 1 - d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/**
 * Weights of the input's elements in each of the output's, (goal, side) row-major, and 1 for the elements
 * that lie inside of the input.
 *
 * Elements beyond the ends are those at the ends, or count nothing with `excludeOutside`. With `antialias`
 * the kernel is as wide as the output's elements are apart.
 */
export function weightsOf(kind: Interpolation, axis: Axis): { weights: Float64Array; inside: Float64Array } {
  const { side, goal, scale } = axis;
  const weights = new Float64Array(goal * side);
  const inside = new Float64Array(goal).fill(1);
  const width = kind.antialias ? Math.min(scale, 1) : 1;
  const reach = (kind.mode === "linear" ? 1 : 2) / width;
  for (let at = 0; at < goal; at++) {
    const place = placeOf(kind, axis, at);
    if (kind.coordinates === "tf_crop_and_resize" && (place < 0 || place > side - 1)) {
      inside[at] = 0;
      continue;
    }
    if (kind.mode === "nearest") {
      weights[at * side + nearestTo(kind, side, place)] = 1;
      continue;
    }
    const row = weights.subarray(at * side, (at + 1) * side);
    let sum = 0;
    for (let i = Math.floor(place - reach); i <= Math.ceil(place + reach); i++) {
      if (kind.excludeOutside && (i < 0 || i >= side)) continue;
      const weight = kernel(kind, (i - place) * width);
      const index = within(side, i);
      row[index] = row[index]! + weight;
      sum += weight;
    }
    for (let i = 0; i < side; i++) row[i] = row[i]! / sum;
  }
  return { weights, inside };
}
