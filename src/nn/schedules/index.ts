import type { TextOf } from "../../options/index.js";
import * as all from "./all.js";
import { schedules } from "./schedule.js";

export * from "./all.js";
export { defineSchedule, type RunLength, type Schedule, schedules } from "./schedule.js";

schedules.include(...Object.values(all));

/** Text of a schedule of the package. */
export type ScheduleText = TextOf<typeof all>;
