/** Every training method of the package; a new one is a file and a line here. */
export { ensembleAdversarial } from "./ensemble-adversarial.js";
export { fgsm } from "./fgsm.js";
export { fgsmRs } from "./fgsm-rs.js";
export { nFgsm } from "./n-fgsm.js";
export { pgd } from "./pgd.js";
export { standard } from "./standard.js";
