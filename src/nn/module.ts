import { checkKind, isObject } from "../base/index.js";
import {
  type BlockQuantization,
  checkDevice,
  keep,
  type Noise,
  type Ranks,
  scope,
  Tensor,
} from "../engine/index.js";
import type { Precision } from "./bfloat16.js";
import { distinct } from "./lists.js";
import { hasOnnxForm, noOnnxForm } from "./onnx-form.js";
import type { OnnxEdge, OnnxSketch } from "./onnx-sketch.js";
import { placeOf, transformFields, transformTensors, within } from "./places.js";

/** Facts of a pass that a network is in. */
export interface Pass {
  /** Batch statistics and their update in training; stored statistics otherwise. */
  readonly training: boolean;
  /** Switches quantizers and random weights off, leaving the mean of their draws; false where left out. */
  readonly noiseFree?: boolean | undefined;
  /** Gradient of quantizers, by a name that they know; any name opens that of pruning and codes. */
  readonly quantizerGradient?: string | undefined;
  /** False leaves images as they are where a purifier or denoiser would change them; true where left out. */
  readonly purified?: boolean | undefined;
  /** The key of random layers' noise. */
  readonly noise: Noise;
  /** Nobody asks for gradients of weights; last bits of the output may differ. False where left out. */
  readonly constantWeights?: boolean | undefined;
  /** Precision that weighted layers compute in; float32 where left out. */
  readonly precision?: Precision | undefined;
  /** Processes that share the batch in training: batch statistics are those of all its images. */
  readonly ranks?: Ranks | undefined;
}

/**
 * A layer or network: tensors and modules in plain, public fields (not `#private`, not in lists), found by
 * walking them.
 *
 * Tensors that require a gradient are parameters, others buffers. Names are the field names joined by dots,
 * as in PyTorch's state dicts.
 */
export abstract class Module {
  /** Applied to the input, in order, such as normalization. Not part of the state's names. */
  readonly inputTransforms: Module[] = [];
  /** Applied to the output, in order; where quantizers are placed. Not part of the state's names. */
  readonly outputTransforms: Module[] = [];

  protected abstract forward(input: Tensor, pass: Pass): Tensor;

  /**
   * The output for an input; shapes are the layer's own. What a layer inside a network throws begins with its
   * name: `in layer "conv1": ...`.
   */
  apply(input: Tensor, pass: Pass): Tensor {
    return within(this, () => {
      checkKind("input", input, "a tensor", input instanceof Tensor);
      checkKind("forward", this.forward, "a function", typeof this.forward === "function");
      checkKind("pass", pass, "an object { training, noise }", isObject(pass));
      let inner = input;
      for (const transform of this.inputTransforms) inner = transform.apply(inner, pass);
      let output = this.forward(inner, pass);
      // Of a promise that is rejected later nobody would hear.
      if ((output as unknown) instanceof Promise) (output as unknown as Promise<unknown>).catch(() => {});
      checkKind("the output", output, "a tensor", output instanceof Tensor);
      for (const transform of this.outputTransforms) output = transform.apply(output, pass);
      return output;
    });
  }

  /**
   * Adds the work of `forward` outside of training to a graph in ONNX's operators. Layers of the package have
   * this form; a class of your own that is to be exported defines it beside its `forward`.
   *
   * @param _input the value that `forward` is given
   * @returns the value that `forward` returns
   */
  protected onnx(_input: OnnxEdge, _sketch: OnnxSketch): OnnxEdge {
    throw noOnnxForm(this);
  }

  /**
   * Adds the whole module to a graph, as `apply` does it outside of training.
   *
   * @throws TypeError for a module without a form in ONNX, or one whose subclass computes something else
   */
  toOnnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    return within(this, () =>
      sketch.at(placeOf(this)?.name, () => {
        if (!hasOnnxForm(this, Module.prototype)) throw noOnnxForm(this);
        let inner = input;
        for (const transform of this.inputTransforms) inner = transform.toOnnx(inner, sketch);
        let output = this.onnx(inner, sketch);
        for (const transform of this.outputTransforms) output = transform.toOnnx(output, sketch);
        return output;
      }),
    );
  }

  /**
   * The stream of this module's noise, for `uniform` and `normal`: its own in the network, 2^29 and the
   * module's place in the order of `namedModules`. Error for a module that the network holds outside of its
   * plain fields.
   */
  protected get noiseStream(): number {
    const place = placeOf(this);
    if (place !== undefined) return place.stream;
    const { name } = this.constructor;
    throw new Error(`${name} draws noise, and must lie in a plain field of its network, to be found there`);
  }

  /** Quantization that an output transform amounts to, null for none; undefined: only `apply` can do it. */
  fusedQuantization(_pass: Pass): BlockQuantization | null | undefined {
    return undefined;
  }

  /** Tells whether two passes that differ in their draw alone can differ by this module, not in training. */
  get randomized(): boolean {
    return false;
  }

  /** Tells whether in training an image's output depends on the rest of its batch by this module itself. */
  get usesBatchStatistics(): boolean {
    return false;
  }

  /** Tells whether this module itself heeds `pass.training`: attacks then need passes outside of training. */
  get differsInTraining(): boolean {
    return this.usesBatchStatistics;
  }

  /** Tells whether its backward pass is not the derivative of its forward pass, as with straight-through. */
  get hasOwnGradient(): boolean {
    return false;
  }

  /** Tells whether the module by itself is faster in passes with `constantWeights`. */
  get gainsByConstantWeights(): boolean {
    return false;
  }

  /**
   * Tells whether ranks that share a batch get of this module itself what one process would: true where it
   * treats each image by itself, or heeds `pass.ranks`.
   */
  get sharesBatches(): boolean {
    return !this.usesBatchStatistics;
  }

  /** Modules in its fields, by name. TypeError for a list of modules, which belongs into a `Sequential`. */
  namedChildren(): [string, Module][] {
    const children: [string, Module][] = [];
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(this))) {
      if (value instanceof Module) children.push([name, value]);
      if (transformFields.some((field) => field === name) || !Array.isArray(value)) continue;
      if (value.some((item) => item instanceof Module)) {
        throw new TypeError(
          `field "${name}" is a list of modules, whose weights would not be found: use a Sequential`,
        );
      }
    }
    return children;
  }

  /** Every module below this one, parents first. */
  namedModules(prefix = ""): [string, Module][] {
    return this.namedChildren().flatMap(([name, child]) => [
      [prefix + name, child] as [string, Module],
      ...child.namedModules(`${prefix}${name}.`),
    ]);
  }

  /** Every tensor that the network holds, also those that are no state: an exported model's whole numbers. */
  stored(): Map<string, Tensor> {
    return this.state();
  }

  /** Every tensor of the network by its full name. */
  state(): Map<string, Tensor> {
    return within(this, () => {
      const state = new Map<string, Tensor>();
      for (const [prefix, module] of [["", this] as const, ...this.namedModules()]) {
        for (const [name, value] of Object.entries(module)) {
          if (value instanceof Tensor) state.set(prefix === "" ? name : `${prefix}.${name}`, value);
        }
      }
      return state;
    });
  }

  /** The tensors that training changes, by name, each once: one that layers share has its first name. */
  parameters(): Map<string, Tensor> {
    return new Map([...distinct(this.state())].filter(([, value]) => value.requiresGrad));
  }

  /**
   * Moves all tensors of the network to a device (`cpu`, `cuda` or `cuda:N`), also those of its transforms,
   * and frees the old ones: so an optimizer is made afterwards. RangeError for a device that is not there.
   */
  to(device: string): this {
    moveState(this, checkDevice(device));
    return this;
  }

  /** Frees what the module has made of its weights for later passes; nothing by default. */
  forget(): void {}

  /** Frees every tensor of the network, also those of its transforms, and what was made of them. */
  dispose(): void {
    for (const module of everyModule(this)) module.forget();
    for (const value of [...this.state().values(), ...transformTensors(this).values()]) value.dispose();
  }
}

/** Work of `Module.to`, once it knows that the device is there. */
export function moveState(network: Module, device: string): void {
  const moved = new Map<Tensor, Tensor>();
  const onDevice = (value: Tensor) => {
    const copy = keep(scope(() => value.detach().toDevice(device, value.dtype)));
    return value.requiresGrad ? copy.requireGrad() : copy;
  };
  within(network, () => {
    for (const module of everyModule(network)) {
      module.forget();
      for (const [name, value] of Object.entries(module)) {
        if (!(value instanceof Tensor) || value.device === device) continue;
        if (!moved.has(value)) moved.set(value, onDevice(value));
        Reflect.set(module, name, moved.get(value));
      }
    }
  });
  for (const old of moved.keys()) old.dispose();
}

/** Throws a TypeError unless what is given is a module. */
export function checkModule(module: Module, name = "module"): void {
  checkKind(name, module, "a Module, such as small().build({ seed: 0 }).module", module instanceof Module);
}

/** A network's own module, all those below it, and what is applied to their outputs. */
export function everyModule(network: Module): Module[] {
  checkModule(network, "network");
  const modules = [network, ...network.namedModules().map(([, module]) => module)];
  return modules.flatMap(({ inputTransforms, outputTransforms }, i) => [
    modules[i]!,
    ...[...inputTransforms, ...outputTransforms].flatMap(everyModule),
  ]);
}
