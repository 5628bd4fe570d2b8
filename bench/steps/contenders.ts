import { fileURLToPath } from "node:url";
import { type NetworkName, networks } from "../shared/networks.js";
import type { BenchOptions } from "./options.js";

/** The kinds of training step that are compared. */
export const steps = ["standard", "fgsm", "fgsm + sqa"] as const;
export type Step = (typeof steps)[number];

/** Somebody who trains: a child process, and what it is asked to do. */
export interface Contender {
  readonly side: "ours" | "PyTorch";
  readonly step: Step;
  /**
   * Label that tells it from the others of its side: `eager float32`,
   * `torch.compile bfloat16 channels-last, floor(g + u)`.
   */
  readonly form: string;
  readonly precision: "float32" | "bfloat16";
  /** Passed on as JSON; see our-side.ts and peers/main.py. */
  readonly task: Readonly<Record<string, unknown>>;
}

/** The step that all make: plain SGD as in the paper, at a rate that hurts nobody. */
const recipe = { learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4 };

const peerForms = [
  { mode: "eager", precision: "float32", channelsLast: false },
  { mode: "eager", precision: "float32", channelsLast: true },
  { mode: "eager", precision: "bfloat16", channelsLast: true },
  { mode: "compile", precision: "float32", channelsLast: false },
  { mode: "compile", precision: "bfloat16", channelsLast: true },
] as const;

const peerActivations: Readonly<Record<Step, Readonly<Record<string, string>>>> = {
  standard: { relu: "" },
  fgsm: { relu: "" },
  "fgsm + sqa": { "sqa-bernoulli": ", torch.bernoulli", "sqa-floor": ", floor(g + u)" },
};

/** Everybody who makes a step of the network, ours first, each in every form. */
export function contendersOf(
  network: NetworkName,
  { batch, quick, precisions }: BenchOptions,
  peers: boolean,
): Contender[] {
  return steps.flatMap((step) => {
    const method = step === "standard" ? "standard" : "fgsm";
    const { model, peer, epsilon } = networks[network];
    const common = {
      ...recipe,
      network,
      model: String(model),
      imageShape: model.inputShape,
      batch,
      method,
      epsilon,
    };
    const mine = precisions.map((precision): Contender => {
      const task = { ...common, sqa: step === "fgsm + sqa", precision };
      return { side: "ours", step, form: precision, precision, task };
    });
    const forms = peers
      ? peerForms.filter(
          ({ mode, precision }) => (!quick || mode === "eager") && precisions.includes(precision),
        )
      : [];
    const theirs = forms.flatMap((form) =>
      Object.entries(peerActivations[step]).map(([activation, written]): Contender => {
        const mode = form.mode === "eager" ? "eager" : "torch.compile";
        const layout = form.channelsLast ? "channels-last" : "NCHW";
        return {
          side: "PyTorch",
          step,
          form: `${mode} ${form.precision} ${layout}${written}`,
          precision: form.precision,
          task: { ...common, ...form, peer, activation },
        };
      }),
    );
    return [...mine, ...theirs];
  });
}

/** The program of a side, which its task follows. */
export function commandOf(
  side: Contender["side"],
  python: string,
): readonly [program: string, ...words: string[]] {
  const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  return side === "ours"
    ? [process.execPath, "--import", "tsx", file("our-side.ts")]
    : [python, file("../peers/main.py")];
}
