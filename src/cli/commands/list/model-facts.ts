import type { Architecture } from "../../../models/index.js";
import { parameterCount } from "../../../nn/index.js";

/** Facts of an architecture beside its options: shapes, size, and the layers that a defense can follow. */
export function modelFacts(architecture: Architecture): string[] {
  const { module } = architecture.build({ seed: 0 });
  try {
    const { inputShape, classes, activations } = architecture;
    const layers = module.namedModules().map(([name]) => name);
    return [
      `images ${inputShape.join(" x ")}, ${classes} classes, ${parameterCount(module)} parameters by default`,
      `layers: ${layers.join(", ")}`,
      ...Object.entries(activations).map(
        ([place, names]) => `places "${place}" of defenses: ${names.join(", ")}`,
      ),
    ];
  } finally {
    module.dispose();
  }
}
