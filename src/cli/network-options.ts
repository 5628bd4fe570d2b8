import * as z from "zod";
import { type QuantizationOptions, quantizationOptions } from "../models/index.js";
import { parseCall } from "../options/call.js";
import { parseOptions } from "../options/schema.js";

/**
 * Where SQA stands, out of text: `none`; `sqa`, in the paper's places; `sqa(range=batch)`; `sqa(relu1=1, relu3=2)` with
 * lambda after each named layer. Throws a RangeError for anything else.
 */
export function readQuantization(text: string): QuantizationOptions | null {
  const { name, options, of } = parseCall(text);
  if (name === "none" && Object.keys(options).length === 0 && of === undefined) return null;
  if (name !== "sqa" || of !== undefined)
    throw new RangeError('expected none, sqa or options as in "sqa(range=batch)"');
  const known = Object.keys(quantizationOptions.shape);
  // A number after a name that is no option of SQA's is a layer's lambda; the network checks that the layer exists.
  const isLayer = ([option, value]: [string, unknown]) => !known.includes(option) && typeof value === "number";
  const layers = Object.entries(options).filter(isLayer);
  const rest = Object.fromEntries(Object.entries(options).filter((option) => !isLayer(option)));
  const given = layers.length === 0 ? rest : { ...rest, layers: Object.fromEntries(layers) };
  return parseOptions("quantization", "sqa", quantizationOptions, given);
}

/**
 * The option `--sqa`: alone it switches SQA on, `--sqa none` (or `--no-sqa`) off; also a call such as `sqa(range=batch)`, or
 * in a file a mapping as in a run's config.json.
 */
export const sqaOption = z
  // "none" by itself stays text: commander takes null for an option without its value.
  .union([z.boolean(), z.enum(["none"]), z.string(), quantizationOptions, z.null()])
  .check((context) => {
    if (typeof context.value !== "string") return;
    try {
      readQuantization(context.value);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      context.issues.push({ code: "custom", message: error.message, input: context.value });
    }
  })
  .optional()
  .describe("SQA in the paper's places")
  .meta({ accepted: "none, sqa, sqa(range=batch), sqa(relu1=1, relu2=2)", placeholder: "none|sqa(...)" });

/** What `--sqa` asks for: undefined where it was not given, null for off. */
export function quantizationOf(given: z.output<typeof sqaOption>): QuantizationOptions | null | undefined {
  if (typeof given === "string") return readQuantization(given);
  return given === true ? {} : given === false ? null : given;
}
