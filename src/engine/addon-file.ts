import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Built addon, and the libtorch that it finds by itself. */
export interface AddonFile {
  readonly path: string;
  /** Place that gave it: a variable, a platform package, or a local build. */
  readonly source: string;
  readonly libtorch: { readonly path: string; readonly source: string };
}

/** Places to search; tests name others than the running package's. */
export interface AddonPlaces {
  /** Folder of the package or of the checkout. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Platform as npm packages are named: `linux-x64`. */
  readonly platform: string;
}

const here: AddonPlaces = {
  root: fileURLToPath(new URL("../../", import.meta.url)),
  env: process.env,
  platform: `${process.platform}-${process.arch}`,
};

/** Parsed JSON of a file; undefined without it. */
function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch {
    return undefined;
  }
}

/** Addon that a local build made against the libtorch that `SQA_LIBTORCH` names. */
function builtAgainst(folder: string, root: string): AddonFile {
  const wanted = [folder, join(folder, "torch")].filter(existsSync).map((path) => realpathSync(path));
  const build = join(root, "build");
  for (const name of existsSync(build) ? readdirSync(build) : []) {
    const stamp = readJson<{ libtorch?: { path: string } }>(join(build, name, "stamp.json"));
    const path = join(build, name, "sqa.node");
    if (stamp?.libtorch === undefined || !wanted.includes(stamp.libtorch.path) || !existsSync(path)) continue;
    const libtorch = { path: stamp.libtorch.path, source: "SQA_LIBTORCH" };
    return { path, source: "local build for SQA_LIBTORCH", libtorch };
  }
  throw new Error(`SQA_LIBTORCH=${folder}: no addon is built against it; run \`${setUpCommand(root)}\` once`);
}

/** Addon of the npm package for this platform; undefined where it is not installed. */
function platformPackage({ root, platform }: AddonPlaces): AddonFile | undefined {
  const { resolve } = createRequire(join(root, "package.json"));
  const name = `@sqa/${platform}`;
  let manifest: string;
  try {
    manifest = resolve(`${name}/package.json`);
  } catch {
    return undefined;
  }
  const own = readJson<{ version: string }>(join(root, "package.json"))?.version;
  const found = readJson<{ version: string }>(manifest)?.version;
  if (found !== own) {
    throw new Error(`${name} is version ${found}, sqa is ${own}: run \`npm install ${name}@${own}\``);
  }
  const libtorch = createRequire(manifest).resolve(`@sqa/libtorch-${platform}/package.json`);
  return {
    path: join(dirname(manifest), "sqa.node"),
    source: `${name} ${found}`,
    libtorch: { path: dirname(libtorch), source: `@sqa/libtorch-${platform}` },
  };
}

/** Addon that setup built last, as build/current.json tells. */
function localBuild(root: string): AddonFile | undefined {
  const build = join(root, "build");
  const record = readJson<{ addon: string; libtorch: AddonFile["libtorch"] }>(join(build, "current.json"));
  if (record === undefined) return undefined;
  const { path, source } = record.libtorch;
  return { path: join(build, record.addon), source: "local build", libtorch: { path, source } };
}

/** A checkout has sources to compile; an installed package has none. */
const isCheckout = (root: string): boolean => existsSync(join(root, "tsconfig.json"));

/** Command that builds an addon: a checkout's own, or the installed package's. */
export function setUpCommand(root: string = here.root): string {
  return isCheckout(root) ? "npm run setup" : "npx sqa setup";
}

/**
 * Finds the addon: the file `SQA_ADDON`, the build against `SQA_LIBTORCH`, the platform's npm package, the
 * local build.
 *
 * @throws Error in one line that says what to run, where there is none.
 */
export function findAddon(places: AddonPlaces = here): AddonFile {
  const { root, env, platform } = places;
  if (env.SQA_ADDON)
    return { path: env.SQA_ADDON, source: "SQA_ADDON", libtorch: { path: "its own", source: "SQA_ADDON" } };
  if (env.SQA_LIBTORCH) return builtAgainst(env.SQA_LIBTORCH, root);
  const found = platformPackage(places) ?? localBuild(root);
  if (found !== undefined) return found;
  if (isCheckout(root)) throw new Error("the native addon is not built yet: run `npm run setup`");
  const version = readJson<{ version: string }>(join(root, "package.json"))?.version;
  throw new Error(
    `sqa has no native addon for ${platform}: run \`npm install @sqa/${platform}@${version}\`, ` +
      "or build it with `npx sqa setup` (takes g++, CMake and Python's pip)",
  );
}
