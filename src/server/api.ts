import type { RunAlarm, RunEvent, RunStep } from "./runs/events.js";

/** State of a run: at work in a process, at its end, at neither, or not to be read. */
export type RunState = "running" | "finished" | "stopped" | "damaged";

/** Run as a line of the list. What is not known yet is null. */
export interface RunSummary {
  readonly name: string;
  readonly state: RunState;
  readonly model: string;
  readonly data: string;
  readonly method: string;
  readonly defenses: string;
  readonly seed: number | null;
  readonly epoch: number | null;
  readonly epochs: number | null;
  readonly step: number | null;
  readonly loss: number | null;
  readonly clean: number | null;
  /** Accuracy under the first of several validation attacks, and under the last or only one. */
  readonly weak: number | null;
  readonly strong: number | null;
  readonly strongAttack: string;
  /** Kinds of alarms, of an unfinished run those of its latest events. */
  readonly alarms: readonly string[];
  readonly seconds: number | null;
  /** Number of the process that works on it. */
  readonly pid: number | null;
  /** Time of the last change, in milliseconds. */
  readonly changed: number;
  /** Fault of its files, in words. */
  readonly problem?: string | undefined;
}

/** Column of the list that it can be sorted by. */
export type RunColumn = Exclude<keyof RunSummary, "problem" | "strongAttack" | "pid">;

/** Page of the list of runs. */
export interface RunPage {
  readonly runs: readonly RunSummary[];
  /** Runs that pass the filter, and all. */
  readonly matching: number;
  readonly total: number;
}

/** Run with its events, of which long runs show a part. */
export interface RunDetail {
  readonly summary: RunSummary;
  readonly config: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, unknown>>;
  readonly steps: readonly RunStep[];
  readonly events: readonly RunEvent[];
  readonly alarms: readonly RunAlarm[];
  /** Validation images under the last validation attack of the latest epoch; null where there are none. */
  readonly images: ShownImages | null;
  readonly audits: readonly AuditSummary[];
  /** Place up to which the files were read; the stream of events goes on behind it. */
  readonly cursor: string;
  readonly problems: readonly string[];
}

/** Images of an epoch under attack, each a picture of it clean, its change, and under attack. */
export interface ShownImages {
  readonly epoch: number;
  readonly attack: string;
  readonly images: readonly {
    readonly file: string;
    readonly position: number;
    /** Names of the image's class and of the one it is given under attack. */
    readonly label: string;
    readonly predicted: string;
    /** Largest change of a pixel. */
    readonly largestChange: number;
  }[];
}

/** Option in which configurations differ, with its value in each run; null where a run has none. */
export interface Difference {
  readonly option: string;
  readonly values: readonly (string | null)[];
}

/** Runs beside each other. */
export interface Comparison {
  readonly runs: readonly (Pick<RunDetail, "summary" | "events" | "steps"> & { readonly name: string })[];
  readonly differences: readonly Difference[];
}

/** Audit as a line. */
export interface AuditSummary {
  readonly run: string;
  readonly name: string;
  readonly finished: boolean;
  readonly verdict: string;
  readonly changed: number;
}

/** Attack of an audit, and how far it is. */
export interface AuditTrial {
  /** The whole call, and its short name. */
  readonly id: string;
  readonly label: string;
  readonly done: number;
  /** Share of the images so far that it leaves correct; null before the first. */
  readonly accuracy: number | null;
  /** Worst case over the images and attacks so far; null for one that answers for another player. */
  readonly worst: number | null;
  readonly seconds: number;
}

/** Audit, running or finished. */
export interface AuditDetail {
  readonly summary: AuditSummary;
  readonly images: number;
  readonly trials: readonly AuditTrial[];
  /** Images that were correct and fell, the first ones, with the short name of what felled each first. */
  readonly fallen: readonly { readonly position: number; readonly by: string }[];
  /** Number of all images that fell. */
  readonly fallenImages: number;
  readonly clean: number | null;
  readonly worst: number | null;
  readonly secondsLeft: number | null;
  /** Names of pictures in its folder. */
  readonly pictures: readonly string[];
  readonly hasPage: boolean;
  /** Content of audit.json, where there is one. */
  readonly report: Readonly<Record<string, unknown>> | null;
  readonly problems: readonly string[];
}

/** Table or figure of the paper. */
export interface PaperItem {
  readonly name: string;
  readonly text: string;
  readonly hasFigure: boolean;
}

/** Work that the page began. */
export interface Job {
  readonly id: string;
  readonly kind: "train" | "audit";
  /** Run that it is on; "" for a new one. */
  readonly run: string;
  readonly state: "running" | "ended";
  readonly pid: number;
  /** Exit code; null while it runs, and where it is not known. */
  readonly code: number | null;
  readonly began: number;
  /** Last lines that it wrote. */
  readonly log: string;
}

/** Exported model below a folder that may be read. */
export interface ModelFile {
  readonly place: "models" | "runs";
  /** Path below the folder, its parts with a slash between them. */
  readonly file: string;
}

/** Model to play with: a run's, or an exported one, with the normalization that it leaves to its user. */
export type PlayModel = { readonly run: string } | (ModelFile & { readonly normalize?: string | undefined });

/** Model that was opened to play with. */
export interface PlayFacts {
  readonly name: string;
  readonly shape: readonly [channels: number, height: number, width: number];
  readonly classNames: readonly string[];
  readonly randomized: boolean;
  /** Findings in an exported file. */
  readonly notes: readonly string[];
  /** Data sets whose test images can be shown; "" is the run's own. */
  readonly data: readonly string[];
}

/** Request for a look at one image under attack. */
export interface PlayRequest {
  readonly model: PlayModel;
  readonly attack: string;
  /**
   * Test image by its position, pixels in [0, 1], or a picture (PNG, JPEG, WebP) in base64 that is resized as
   * the model needs. Label null is the class that the model says.
   */
  readonly image:
    | { readonly position: number; readonly data: string }
    | { readonly pixels: readonly number[]; readonly label: number | null }
    | { readonly picture: string; readonly label: number | null };
  readonly seed: number;
}

/** Answers to an image: the mean of the draws, and the middle 90 % of them. */
export interface PlayAnswers {
  readonly probabilities: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Share of the draws that say each class. */
  readonly said: readonly number[];
}

/** Image under attack, and what the model says to it. */
export interface PlayResult {
  readonly shape: readonly [channels: number, height: number, width: number];
  readonly classNames: readonly string[];
  readonly label: number;
  readonly attack: string;
  readonly draws: number;
  readonly clean: readonly number[];
  readonly adversarial: readonly number[];
  readonly cleanAnswers: PlayAnswers;
  readonly adversarialAnswers: PlayAnswers;
  /** Largest change of a pixel, and the length of the change. */
  readonly linf: number;
  readonly l2: number;
  readonly seconds: number;
}
