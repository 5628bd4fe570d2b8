import * as z from "zod";

/**
 * A schema for text that a function can read, such as `readBy("a call such as pgd(steps=7)", parseCall)`. The
 * option keeps its text, so that it can be stored; the function's TypeErrors and RangeErrors become the
 * option's fault.
 */
export function readBy(accepted: string, read: (text: string) => unknown): z.ZodString {
  return z
    .string()
    .meta({ accepted })
    .check((context) => {
      try {
        read(context.value);
      } catch (error) {
        if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
        context.issues.push({ code: "custom", message: error.message, input: context.value });
      }
    });
}
