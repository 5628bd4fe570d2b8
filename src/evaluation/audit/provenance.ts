import * as z from "zod";
import type { SelfTestRecord } from "./evidence/self-test.js";
import { selfTest } from "./report/schema/evidence.js";

const text = z.string().min(1).max(1000);

const options = z.strictObject({
  file: z
    .strictObject({
      name: text,
      sha256: z.string().regex(/^[0-9a-f]{64}$/, "expected the SHA-256 in 64 hexadecimal digits"),
      format: text,
    })
    .optional(),
  training: z.strictObject({ run: text, config: z.record(z.string(), z.unknown()) }).optional(),
  source: text.optional(),
  sampling: text.optional(),
  decoding: text.optional(),
  command: text.optional(),
  author: text.optional(),
  selfTest: selfTest.optional(),
});

/** Facts that only the caller of an audit knows, for its report; all may be left out. */
export interface Provenance {
  /** File that the model was read from. */
  readonly file?: { readonly name: string; readonly sha256: string; readonly format: string } | undefined;
  /** Run that trained the model. */
  readonly training?:
    | { readonly run: string; readonly config: Readonly<Record<string, unknown>> }
    | undefined;
  /** Origin and license of the images. */
  readonly source?: string | undefined;
  /** Manner in which the images were chosen. */
  readonly sampling?: string | undefined;
  /** Decoder of the images, and what resized them. */
  readonly decoding?: string | undefined;
  /** Command that repeats the audit. */
  readonly command?: string | undefined;
  /** Person or body that audits. */
  readonly author?: string | undefined;
  /** Result of the audit's self-test, such as `readSelfTest` reads. */
  readonly selfTest?: SelfTestRecord | undefined;
}

/** Checks provenance. TypeError names the field that is none, or does not fit. */
export function checkProvenance(given: unknown): Provenance {
  const { success, data, error } = options.safeParse(given ?? {});
  if (success) return data;
  const { path, message } = error.issues[0]!;
  throw new TypeError(`provenance${path.map((key) => `.${String(key)}`).join("")}: ${message}`);
}
