import type { Attack, AttackText } from "../attacks/index.js";
import type { Augmentation, AugmentationText, Dataset, DatasetText } from "../datasets/index.js";
import type { DefenseText } from "../defenses/index.js";
import type { Architecture, Defense, ModelText } from "../models/index.js";
import type { Optimizer, OptimizerText, Precision, Schedule, ScheduleText } from "../nn/index.js";
import type { InitialWeightsInput } from "./initial-weights.js";
import type { MethodText, TrainingMethod } from "./methods/index.js";
import type { Guard, GuardText } from "./overfitting/guards/index.js";

/** Value or its text, such as `pgd({ steps: 7 })` or `"pgd(steps=7)"`. */
type Or<V, Text extends string> = V | Text;

/** Everything that decides a run's weights. Values and their texts mean the same. */
export interface TrainConfigInput {
  /** Architecture, or a model of your own from `modelOf`. */
  readonly model: Or<Architecture, ModelText>;
  /** Data set, or images of your own from `imagesOf`. */
  readonly data: Or<Dataset, DatasetText>;
  /** Defenses in the order of their application; none by default. */
  readonly defenses?: readonly Or<Defense, DefenseText>[] | undefined;
  /**
   * File whose weights training begins with, in safetensors or a PyTorch checkpoint (.pt, .pth); those of the
   * seed by default.
   */
  readonly initialWeights?: string | InitialWeightsInput | null | undefined;
  /** Method that makes the training images, or an attack; FGSM at the data set's usual radius by default. */
  readonly method?: Or<TrainingMethod | Attack, MethodText | AttackText> | undefined;
  /** Passes over the training images; 5 by default. */
  readonly epochs?: number | undefined;
  /** Images in a step; 128 by default. */
  readonly batchSize?: number | undefined;
  /** Number of training images, the first of the data set; all by default. */
  readonly limit?: number | null | undefined;
  /** Held-out training images, for validation; 0 by default: then it takes images that are trained on. */
  readonly heldOut?: number | undefined;
  /** Variation of the training images; none by default. */
  readonly augmentation?: Or<Augmentation, AugmentationText> | undefined;
  /** Weight of the clean images' loss beside the method's, in [0, 1); by default its own, mostly 0. */
  readonly cleanWeight?: number | string | undefined;
  /** Precision of the layers; weights and losses stay float32, the default. */
  readonly precision?: Precision | undefined;
  /** Optimizer; SGD with momentum 0.9 and weight decay 5e-4 by default. */
  readonly optimizer?: Or<Optimizer, OptimizerText> | undefined;
  /** Schedule of the learning rate; one cycle with a peak of 0.05 by default. */
  readonly schedule?: Or<Schedule, ScheduleText> | undefined;
  /** Share of the labels that is spread over all classes, in [0, 1); 0 by default. */
  readonly labelSmoothing?: number | string | undefined;
  /** Decay of the weights' exponential mean, which is then evaluated and saved; 0, the default, for none. */
  readonly averaging?: number | string | undefined;
  /** Epoch whose weights are saved: the last, or the best under the last validation attack. */
  readonly selection?: "last" | "best" | undefined;
  /** Guard against catastrophic overfitting between epochs; none by default. */
  readonly guard?: Or<Guard, GuardText> | undefined;
  /** Images that are attacked after each epoch; 1,000 by default. */
  readonly validationImages?: number | undefined;
  /**
   * Attacks after each epoch, the first single-step, the last the strongest; FGSM and PGD of 20 steps by
   * default.
   */
  readonly validationAttacks?: readonly Or<Attack, AttackText>[] | undefined;
  /** Seed of weights, shuffling and noise; 0 by default. */
  readonly seed?: number | undefined;
}
