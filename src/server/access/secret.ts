import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { makeFolder } from "../../base/index.js";
import { readWhole } from "../files/read-part.js";

/** Random text that cannot be guessed. */
export function randomSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** Folder of the user's own where programs keep what is neither settings nor data. */
function stateFolder(): string {
  return join(process.env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "sqa");
}

/**
 * Secret of this user, made at the first call and kept for a later start, so that an open page finds its way
 * back to a restarted server. Where nothing can be kept, a secret for this start alone.
 */
export function keptSecret(folder = stateFolder()): string {
  const file = join(folder, "dashboard-secret");
  const kept = () => readWhole(file, 256)?.toString("utf8").trim() ?? "";
  if (kept().length >= 40) return kept();
  const secret = randomSecret();
  try {
    makeFolder(folder);
    writeFileSync(file, `${secret}\n`, { mode: 0o600, flag: "wx" });
    return secret;
  } catch {
    // Another server may have made it just now.
    return kept().length >= 40 ? kept() : secret;
  }
}
