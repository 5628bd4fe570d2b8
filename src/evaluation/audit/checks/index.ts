import * as all from "./all.js";
import { checks } from "./check.js";

export {
  type Check,
  type CheckDefinition,
  type CheckGroup,
  type CheckWork,
  checkGroups,
  checklist,
  checks,
  defineCheck,
  type Judgment,
  type Outcome,
} from "./check.js";
export type { CheckedLine } from "./judged-line.js";

checks.include(...Object.values(all));
