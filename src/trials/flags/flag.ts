/** Fault of a model, an attack or an evaluation, because of which accuracies mean less than they seem to. */
export interface Flag {
  readonly kind:
    | "batch-dependent"
    | "hidden-randomness"
    | "probabilities"
    | "equal-logits"
    | "constant-answers"
    | "number-dependent"
    | "gradient-dependent"
    | "vanishing-gradients"
    | "blocked-gradients"
    | "changed-nothing"
    | "no-worst-case";
  /** One sentence with figures, and the remedy where there is one. */
  readonly message: string;
  /** Attack that it is about; undefined for the model itself. */
  readonly attack?: string;
}
