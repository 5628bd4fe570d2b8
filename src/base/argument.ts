/**
 * Text of what was given where something else belongs, as an error shows it: `undefined`, `"text"`, `5`,
 * `a list`, `a Tensor`.
 */
export function shownGiven(given: unknown): string {
  if (typeof given === "string")
    return JSON.stringify(given.length > 60 ? `${given.slice(0, 57)}...` : given);
  if (typeof given === "function") return "a function";
  if (Array.isArray(given)) return isShortList(given) ? `[${given.join(", ")}]` : "a list";
  if (typeof given !== "object" || given === null) return String(given);
  const { name } = given.constructor ?? Object;
  return name === "Object" ? "an object" : `a ${name}`;
}

/** Tells whether a list is shown as it is: a few numbers, such as a shape. */
function isShortList(given: readonly unknown[]): boolean {
  return given.length > 0 && given.length <= 6 && given.every((one) => typeof one === "number");
}

/** Tells whether a value has properties to be read: neither null nor a number, text or function. */
export function isObject(given: unknown): given is Record<string, unknown> {
  return typeof given === "object" && given !== null;
}

/** Throws a TypeError, "NAME must be ACCEPTED, not GIVEN", unless an argument is of its kind. */
export function checkKind(name: string, given: unknown, accepted: string, isOfKind: boolean): void {
  if (!isOfKind) throw new TypeError(`${name} must be ${accepted}, not ${shownGiven(given)}`);
}

/**
 * Throws a RangeError, "NAME must be ACCEPTED, not GIVEN", unless a number is one of those that are accepted.
 */
export function checkNumber(name: string, given: number, accepted: string, isAccepted: boolean): void {
  if (!isAccepted) throw new RangeError(`${name} must be ${accepted}, not ${shownGiven(given)}`);
}

/** Throws a TypeError unless an argument is the path of a folder; an empty text would be the current one. */
export function checkFolder(name: string, given: unknown): void {
  checkKind(name, given, "the path of a folder", typeof given === "string" && given !== "");
}

const folderName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;

/** Throws a TypeError unless text can name a folder, as names of a user's own models and images do. */
export function checkFolderName(name: string, given: unknown): void {
  const fits = typeof given === "string" && folderName.test(given);
  checkKind(name, given, "1 to 64 letters, digits, _, . and -, the first no . or -", fits);
}
