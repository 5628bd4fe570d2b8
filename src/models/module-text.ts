import { createHash } from "node:crypto";
import { scope, Tensor } from "../engine/index.js";
import * as nn from "../nn/index.js";

/** Classes of the package, whose names say what they compute. */
const packaged = new Set<unknown>(Object.values(nn));

/** Fields that are told of apart from the others. */
const transforms: readonly string[] = ["inputTransforms", "outputTransforms"];

/**
 * Text of all that decides a module's answers beside its weights: names, classes, plain fields and transforms
 * of all modules. Of a class of your own it has the source; private fields, and what its functions take from
 * around them, cannot be seen. The same in every process.
 */
export function moduleText(module: nn.Module): string {
  return JSON.stringify(new Walk().form(module));
}

/** Walk through values, which names those that it meets again. */
class Walk {
  readonly #met = new Map<object, number>();

  /** JSON by which two values differ where they are not alike. */
  form(value: unknown): unknown {
    if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
    if (typeof value === "number" && Number.isFinite(value) && !Object.is(value, -0)) return value;
    if (typeof value !== "object" && typeof value !== "function")
      return [typeof value, Object.is(value, -0) ? "-0" : String(value)];
    // Weights of a module stand in its state; a tensor elsewhere is told by its values.
    if (value instanceof Tensor)
      return ["tensor", ...(value.disposed ? [] : [value.dtype, value.shape, valuesHash(value)])];
    const before = this.#met.get(value as object);
    if (before !== undefined) return ["again", before];
    this.#met.set(value as object, this.#met.size);
    if (value instanceof nn.Module) return ["module", classText(value), ...this.#parts(value)];
    if (Array.isArray(value)) return ["list", ...value.map((item) => this.form(item))];
    if (value instanceof Map || value instanceof Set)
      return [value.constructor.name, ...[...value].map((item) => this.form(item))];
    if (ArrayBuffer.isView(value)) return [value.constructor.name, bytesHash(value)];
    if (typeof value === "function") return ["function", String(value), this.#fields(value)];
    const made = (value as object).constructor;
    const ownClass = made === undefined || made === Object ? "" : String(made);
    return ["object", ownClass, this.#fields(value as object)];
  }

  /** Fields of a module, then the modules in it and about it, in their order. */
  #parts(module: nn.Module): unknown[] {
    const { inputTransforms, outputTransforms } = module;
    return [
      this.#fields(module),
      module.namedChildren().map(([name, child]) => [name, this.form(child)]),
      ...[inputTransforms, outputTransforms].map((some) => some.map((one) => this.form(one))),
    ];
  }

  /** Plain fields by name: no getters, and of a module neither its tensors nor the modules in it. */
  #fields(owner: object): unknown[] {
    const isPart = (name: string, value: unknown) =>
      owner instanceof nn.Module &&
      (transforms.includes(name) || value instanceof Tensor || value instanceof nn.Module);
    return Object.entries(Object.getOwnPropertyDescriptors(owner))
      .filter(([name, { value, enumerable }]) => enumerable && value !== undefined && !isPart(name, value))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { value }]) => [name, this.form(value)]);
  }
}

/** Source of a module's classes, up to one of the package, and of methods that were put into them later. */
function classText(module: nn.Module): unknown[] {
  const texts: unknown[] = [];
  const above = (one: object): object => Object.getPrototypeOf(one);
  for (let at = above(module); at !== nn.Module.prototype; at = above(at)) {
    const made = at.constructor;
    if (packaged.has(made)) return [...texts, made.name];
    const own = ["apply", "forward"].filter((name) => Object.hasOwn(at, name));
    texts.push(
      String(made),
      own.map((name) => String(Reflect.get(at, name))),
    );
  }
  return texts;
}

function valuesHash(value: Tensor): string {
  return bytesHash(scope(() => value.detach().to("float32").toArray()) as Float32Array);
}

function bytesHash({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return createHash("sha256")
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest("hex");
}
