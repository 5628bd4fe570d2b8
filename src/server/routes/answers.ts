import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type * as z from "zod";

/** Answer that says what is wrong. */
export function failure(c: Context, status: ContentfulStatusCode, message: string): Response {
  return c.json({ error: message }, status);
}

/** Error that is answered with a status and a message. */
export function refusal(status: ContentfulStatusCode, message: string): HTTPException {
  return new HTTPException(status, { message });
}

function checked<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const found = schema.safeParse(given);
  if (found.success) return found.data;
  const { path, message } = found.error.issues[0]!;
  throw refusal(400, `${path.join(".") || "request"}: ${message}`);
}

/** Query of a request as a schema describes it. */
export function queryOf<Schema extends z.ZodType>(c: Context, schema: Schema): z.output<Schema> {
  return checked(schema, c.req.query());
}

/** JSON body of a request as a schema describes it. */
export async function bodyOf<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
): Promise<z.output<Schema>> {
  if (!/^application\/json\b/.test(c.req.header("Content-Type") ?? ""))
    throw refusal(415, "Content-Type: only application/json");
  let given: unknown;
  try {
    given = await c.req.json();
  } catch {
    throw refusal(400, "request: no JSON");
  }
  return checked(schema, given);
}

/** Bytes of a file as an answer. */
export function bytesOf(c: Context, bytes: Buffer | "" | undefined, type: string): Response {
  if (!bytes) return failure(c, 404, "there is no such file");
  return c.body(new Uint8Array(bytes), 200, { "Content-Type": type });
}
