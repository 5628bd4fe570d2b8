import type { Conclusion } from "../conclude.js";
import { roundingSurvivors, type WorstImage } from "../worst-images.js";
import type { ReportData } from "./data.js";
import { type ReportFiles, type WriteReportOptions, writeReport } from "./files.js";
import { reportJson } from "./json.js";
import type { AuditJson } from "./schema/audit.js";
import { reportText, type TextOptions } from "./text.js";

/** Outcome of an audit. */
export interface Report extends Omit<Conclusion, "brokenBy" | "counts"> {
  /** Name of the model. */
  readonly model: string;
  /** Name of the images. */
  readonly data: string;
  readonly norm: "linf" | "l2";
  readonly epsilon: number;
  /** Text of the claimed attack; where nobody claims anything, of the audit's reference attack. */
  readonly claimedBy: string;
  /** Outcome against the criterion and the earlier audit; null where neither was given. */
  readonly outcome: AuditJson["outcome"];
  /** Images in the form that did the model most harm: all, or the first ones of less than 2 GiB. */
  readonly worstImages: readonly WorstImage[];
  /** Share of the images that fool the model which still do when rounded to 8 bits; null without any. */
  readonly survivesRounding: number | null;
  /** Folder that keeps the trials; undefined where they are kept elsewhere. */
  readonly folder: string | undefined;
  /** The report for a terminal: verdict, figures and checklist. */
  text(options?: TextOptions): string;
  /**
   * Writes audit.json, audit.html and the worst images into a folder, in place of an earlier report's, and
   * their SHA-256 beside them. Each file is replaced atomically. An Error, and nothing written, where another
   * file of these names is there, but with `replace`.
   */
  write(folder: string, options?: WriteReportOptions): Promise<ReportFiles>;
  /** Content of audit.json. */
  toJSON(): AuditJson;
}

/** Makes the report of an audit. */
export function reportOf({
  folder,
  images,
  ...data
}: ReportData & {
  readonly folder: string | undefined;
  readonly images: readonly WorstImage[];
}): Report {
  const { conclusion, plan, worst, subject } = data;
  const { brokenBy: _, counts: __, ...findings } = conclusion;
  const json = reportJson(data);
  return {
    ...findings,
    model: subject.opened.name,
    data: subject.split.name,
    norm: plan.norm,
    epsilon: plan.epsilon,
    claimedBy: String(plan.claim.attack),
    outcome: json.outcome,
    worstImages: images,
    survivesRounding: roundingSurvivors(worst),
    folder,
    text: (options = {}) => reportText(json, options),
    write: (to, how) => writeReport(to, json, images, how),
    toJSON: () => json,
  };
}
