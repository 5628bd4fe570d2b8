// Resolves `sqa`, its subpaths and `zod` in modules of users to the running package: kinds have one registry
// only, and a module needs no node_modules beside it. Node runs this as a hook of its module loader.

/** Packages in node_modules have a zod of their own. @param {string | undefined} parent */
const isOfUser = (parent) => parent === undefined || !parent.includes("/node_modules/");

/**
 * TypeScript is written as modules, whatever the nearest package.json says of JavaScript.
 * @template {{ url: string, format?: string | null | undefined }} Resolved
 * @param {Resolved} resolved
 * @returns {Resolved}
 */
function asModule(resolved) {
  const isTypeScript = /\.ts(\?|$)/.test(resolved.url) && isOfUser(resolved.url);
  return isTypeScript && resolved.format === "commonjs" ? { ...resolved, format: "module" } : resolved;
}

/**
 * @template {{ parentURL?: string | undefined }} Context
 * @template {{ url: string, format?: string | null | undefined }} Resolved
 * @param {string} specifier
 * @param {Context} context
 * @param {(specifier: string, context: Context) => Resolved | Promise<Resolved>} next
 */
export function resolve(specifier, context, next) {
  const isSqa = /^sqa(\/|$)/.test(specifier);
  const isZod = /^zod(\/|$)/.test(specifier) && isOfUser(context.parentURL);
  const found = next(specifier, isSqa || isZod ? { ...context, parentURL: import.meta.url } : context);
  return found instanceof Promise ? found.then(asModule) : asModule(found);
}
