import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";

const published = new URL("report/schemas/", import.meta.url);
const read = (name: string, folder = published) =>
  JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Record<string, unknown>;
const addFormats = formats as unknown as (ajv: Ajv) => void;

/** Faults of JSON by a schema, each with its place. */
function faultsBy(ajv: Ajv, schema: object): (json: unknown) => string[] {
  addFormats(ajv);
  const validate = ajv.compile(schema);
  return (json) =>
    validate(json) ? [] : (validate.errors ?? []).map((one) => `${one.instancePath}: ${one.message}`);
}

/** Faults of an audit.json by the project's own schema, as it is committed. */
export function auditFaults(): (json: unknown) => string[] {
  const schema = read("docs/audit.schema.json", new URL("../../../", import.meta.url));
  return faultsBy(new Ajv2020({ allErrors: true, strict: false }), schema);
}

/** Faults of a SARIF log; its schema is of draft 4, of which the validator knows all but the key `id`. */
export function sarifFaults(): (json: unknown) => string[] {
  const { id, $schema: _, ...schema } = read("sarif-2.1.0.json");
  return faultsBy(new Ajv({ allErrors: true, strict: false }), { $id: id, ...schema });
}

/** Faults of a CycloneDX bill of materials. */
export function cycloneDxFaults(): (json: unknown) => string[] {
  const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: true });
  // Formats of names and mail in other alphabets than the validator's own.
  for (const name of ["idn-email", "iri-reference"]) ajv.addFormat(name, true);
  for (const name of ["spdx.schema.json", "jsf-0.82.schema.json"]) ajv.addSchema(read(name));
  return faultsBy(ajv, read("bom-1.6.schema.json"));
}
