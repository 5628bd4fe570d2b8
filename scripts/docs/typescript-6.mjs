// TypeDoc needs the compiler's API in JavaScript, which TypeScript 7 does not have: here `typescript` means version 6.
import { register } from "node:module";

const hooks = `
const compiler = ${JSON.stringify(import.meta.resolve("typescript-6"))};
export const resolve = (specifier, context, next) =>
  specifier === "typescript" ? { url: compiler, shortCircuit: true } : next(specifier, context);`;

register(`data:text/javascript,${encodeURIComponent(hooks)}`);
