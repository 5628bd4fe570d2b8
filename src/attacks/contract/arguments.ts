import { checkKind, isObject, shownGiven } from "../../base/index.js";
import type { Classifier } from "../../nn/classifier.js";
import type { Attack } from "./attack.js";

function isAttack(given: unknown): given is Attack {
  return typeof given === "function" && "label" in given && "traits" in given;
}

/** Throws a TypeError unless what is given is a list of attacks; `what` begins the message. */
export function checkAttacks(attacks: readonly Attack[], what = "attacks"): void {
  checkKind(what, attacks, "a list of attacks", Array.isArray(attacks));
  const wrong = attacks.find((attack) => !isAttack(attack));
  if (wrong === undefined && !attacks.includes(undefined as never)) return;
  throw new TypeError(`${what} must hold attacks such as pgd() or parseAttack("pgd"), not ${shownGiven(wrong)}`);
}

/** Throws a TypeError unless what is given can be attacked; a Model is not what its `classifier()` is. */
export function checkClassifier(model: Classifier, name = "model"): void {
  const fits = isObject(model) && Array.isArray(model.inputShape) && typeof model.logits === "function";
  checkKind(name, model, "a classifier, such as model.classifier()", fits);
}
