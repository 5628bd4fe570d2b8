/** Error of a schema, as zod has it. */
interface SchemaError {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}

/** First fault that a schema found, after the field that it is of: `last.epoch: expected a number`. */
export function firstFault({ issues }: SchemaError): string {
  const { path, message } = issues[0]!;
  return path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`;
}
