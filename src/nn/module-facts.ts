import { checkModule, everyModule, type Module } from "./module.js";

/** Tells whether two passes of a network can differ: by a quantizer, or by a layer's random weights. */
export function isRandomized(network: Module): boolean {
  return everyModule(network).some((module) => module.randomized);
}

/** Tells whether a network in training mixes the images of a batch, as batch normalization does. */
export function usesBatchStatistics(network: Module): boolean {
  return everyModule(network).some((module) => module.usesBatchStatistics);
}

/** Tells whether a network's passes in training differ from those outside of it, as with dropout. */
export function differsInTraining(network: Module): boolean {
  return everyModule(network).some((module) => module.differsInTraining);
}

/** Tells whether a network is faster in passes with `constantWeights`. */
export function gainsByConstantWeights(network: Module): boolean {
  return everyModule(network).some((module) => module.gainsByConstantWeights);
}

/** Frees what modules of a network have made of their weights for later passes. */
export function forgetMade(network: Module): void {
  for (const module of everyModule(network)) module.forget();
}

/** Number of elements of all parameters. */
export function parameterCount(module: Module): number {
  checkModule(module);
  return [...module.parameters().values()].reduce((sum, parameter) => sum + parameter.size, 0);
}

/** Module in a network that ranks which share a batch cannot train; undefined where there is none. */
export function unsharedModule(network: Module): Module | undefined {
  return everyModule(network).find((module) => !module.sharesBatches);
}
