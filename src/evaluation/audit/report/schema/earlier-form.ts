import { isObject } from "../../../../base/index.js";
import { methodFor, methodOfFigure, wilsonMethod } from "../../evidence/interval-methods.js";
import { auditSchemaVersion } from "./audit.js";

/** Form before the present one. */
export const earlierVersion = "sqa-audit/1";

/** Name in form 1 of the line whose points are single answers to each image. */
const stepsLine = "PGD on its way";

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (given: unknown): Fields => (isObject(given) ? given : {});

/** List with more fields in each of its objects. */
function each(list: unknown, more: (one: Fields) => Fields): unknown {
  return Array.isArray(list) ? list.map((one) => (isObject(one) ? { ...one, ...more(one) } : one)) : list;
}

/** Value with a method of its interval; null stays null. */
const withMethod = (value: unknown, method: unknown) => (isObject(value) ? { ...value, method } : value);

/**
 * Content of an audit.json of form 1 in the present form, not yet checked: fields that it lacks are null, or
 * what they must have been.
 */
export function fromEarlierForm(given: Fields): Fields {
  const evidence = fieldsOf(given.evidence);
  const model = fieldsOf(evidence.model);
  const outcome = fieldsOf(given.outcome);
  const isRandomized = model.randomized === true;
  const method = methodFor(isRandomized);
  const requirements = each(outcome.requirements, ({ figure, value }) => ({
    value: withMethod(value, methodOfFigure(String(figure), isRandomized, evidence.perClassMethod)),
  }));
  return {
    ...given,
    schema: auditSchemaVersion,
    ...("perClassWorst" in given
      ? { perClassWorst: withMethod(given.perClassWorst, evidence.perClassMethod) }
      : {}),
    outcome: isObject(given.outcome) ? { ...outcome, requirements } : given.outcome,
    trials: each(given.trials, () => ({ options: null })),
    curves: each(given.curves, () => ({ method })),
    convergence: each(given.convergence, ({ name }) => ({
      method: name === stepsLine ? wilsonMethod : method,
    })),
    evidence: {
      ...evidence,
      model: { ...model, graph: null },
      selfTest: { result: null, reason: `${earlierVersion} does not tell` },
    },
  };
}
