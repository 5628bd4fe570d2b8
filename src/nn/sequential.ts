import { checkKind, isObject, shownGiven } from "../base/index.js";
import type { Tensor } from "../engine/index.js";
import { applyFused, fusedResidual } from "./fusion.js";
import { Module, type Pass } from "./module.js";
import type { OnnxEdge, OnnxSketch } from "./onnx-sketch.js";
import { giveNames, within } from "./places.js";

/**
 * Applies modules one after another. Those that can be evaluated as one are, to the same values but for the
 * last bits.
 */
export function applyInTurn(layers: readonly Module[], input: Tensor, pass: Pass): Tensor {
  let hidden = input;
  for (let i = 0; i < layers.length; ) {
    const fused = applyFused(layers.slice(i, i + 3), hidden, pass);
    hidden = fused?.output ?? layers[i]!.apply(hidden, pass);
    i += fused?.layers ?? 1;
  }
  return hidden;
}

/** End of a residual block: ReLU of the sum of a shortcut and what layers make of an input. */
export function applyResidual(
  layers: readonly Module[],
  relu: Module,
  { input, shortcut }: { readonly input: Tensor; readonly shortcut: Tensor },
  pass: Pass,
): Tensor {
  return (
    fusedResidual([...layers, relu], input, pass, shortcut) ??
    relu.apply(applyInTurn(layers, input, pass).add(shortcut), pass)
  );
}

/** Adds modules one after another to a graph in ONNX's operators. */
export function writeInTurn(layers: readonly Module[], input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
  return layers.reduce((value, layer) => layer.toOnnx(value, sketch), input);
}

/** Layers by name: an object, or a list of pairs. */
export type NamedLayers =
  | Readonly<Record<string, Module>>
  | readonly (readonly [name: string, layer: Module])[];

const isWhole = (name: string) => /^(0|[1-9]\d*)$/.test(name);

/**
 * The entries of an object. RangeError where JavaScript may have put them into another order than they were
 * written in.
 */
function entriesOf(layers: Readonly<Record<string, Module>>): [string, Module][] {
  const names = Object.keys(layers);
  const whole = names.find(isWhole);
  const other = names.find((name) => !isWhole(name));
  if (whole !== undefined && other !== undefined) {
    throw new RangeError(
      `an object puts the layer "${whole}" before "${other}", wherever it is written: ` +
        `give a list of pairs, such as [["${other}", layer], ["${whole}", layer]]`,
    );
  }
  return Object.entries(layers);
}

function checkEntry(entry: readonly [string, Module]): void {
  const isPair = Array.isArray(entry) && entry.length === 2;
  checkKind("an entry of layers", entry, 'a pair such as ["relu", new ReLU()]', isPair);
  const [name, layer] = entry;
  if (typeof name !== "string" || name === "" || name.includes(".")) {
    throw new RangeError(
      `the name of a layer must be text without dots, such as "conv1", not ${shownGiven(name)}`,
    );
  }
  checkKind(`layer "${name}"`, layer, "a module such as new ReLU()", layer instanceof Module);
}

/**
 * Modules one after another, each under its own name.
 *
 * The order is that of the list, or of the object. An object's whole-number names come first in JavaScript,
 * in ascending order; one that has other names as well is refused. RangeError or TypeError for a name or a
 * layer that cannot be.
 *
 * @example new Sequential({ conv1: new Conv2d(3, 16, 3, { seed: 0 }), relu1: new ReLU() });
 */
export class Sequential extends Module {
  readonly #named: readonly (readonly [string, Module])[];
  readonly #layers: readonly Module[];

  constructor(layers: NamedLayers) {
    super();
    checkKind(
      "layers",
      layers,
      "an object such as { relu: new ReLU() } or a list of pairs",
      isObject(layers),
    );
    const entries = Array.isArray(layers)
      ? [...layers]
      : entriesOf(layers as Readonly<Record<string, Module>>);
    entries.forEach(checkEntry);
    const names = entries.map(([name]) => name);
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice !== undefined) throw new RangeError(`two layers have the name "${twice}"`);
    this.#named = entries;
    this.#layers = entries.map(([, layer]) => layer);
    giveNames(this);
  }

  override namedChildren(): [string, Module][] {
    return this.#named.map(([name, layer]) => [name, layer]);
  }

  /**
   * Input of the last layer in a pass, behind the network's own transforms, such as normalization. Of a last
   * layer that is a `Sequential` itself, its last one counts.
   */
  applyBeforeLast(input: Tensor, pass: Pass): Tensor {
    return within(this, () => {
      const inner = applyInTurn(this.inputTransforms, input, pass);
      const given = applyInTurn(this.#layers.slice(0, -1), inner, pass);
      const last = this.#layers.at(-1);
      return last instanceof Sequential ? last.applyBeforeLast(given, pass) : given;
    });
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    return applyInTurn(this.#layers, input, pass);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    return writeInTurn(this.#layers, input, sketch);
  }
}
