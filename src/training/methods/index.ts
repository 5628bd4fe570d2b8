import { Registry } from "../../options/named.js";
import { fgsm } from "./fgsm.js";
import { fgsmRs } from "./fgsm-rs.js";
import type { TrainingMethod } from "./method.js";
import { nFgsm } from "./n-fgsm.js";
import { pgd } from "./pgd.js";
import { standard } from "./standard.js";

export type { TrainingMethod } from "./method.js";

/** Every training method: `trainingMethods.parse("fgsm(epsilon=0.3)")`. */
export const trainingMethods = new Registry<TrainingMethod>("training method", [standard, fgsm, fgsmRs, nFgsm, pgd]);
