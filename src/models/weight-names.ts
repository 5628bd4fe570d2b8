/** Names of weights, as a file has them, that a module's own names were found for. */
export interface NameMatch {
  /** The file's name of each of the module's weights. */
  readonly names: ReadonlyMap<string, string>;
  /** Beginning that the names had, `model.` for example; "" for none. */
  readonly prefix: string;
  /** Names of the mean and the standard deviation that the file's network normalizes images by. */
  readonly statistics: { readonly mean: string; readonly std: string } | undefined;
  /** Names that nothing here has a use for. */
  readonly unused: readonly string[];
}

/** Segments of names that mean the same layer in other code: of pytorch-cifar and torchvision. */
const synonyms: readonly (readonly [string, string])[] = [
  ["shortcut", "downsample"],
  ["linear", "fc"],
];

/** Names of Hugging Face's ResNet, which are those of its code, and torchvision's. */
const huggingFace: readonly (readonly [RegExp, (...found: string[]) => string])[] = [
  [/^embedder\.embedder\.convolution\.(\w+)$/, (_, last) => `conv1.${last}`],
  [/^embedder\.embedder\.normalization\.(\w+)$/, (_, last) => `bn1.${last}`],
  [
    /^encoder\.stages\.(\d+)\.layers\.(\d+)\.(layer\.(\d+)|shortcut)\.(convolution|normalization)\.(\w+)$/,
    (_, stage, block, _part, index, kind, last) => {
      const place = `layer${Number(stage) + 1}.${block}`;
      const isConvolution = kind === "convolution";
      if (index === undefined) return `${place}.downsample.${isConvolution ? 0 : 1}.${last}`;
      return `${place}.${isConvolution ? "conv" : "bn"}${Number(index) + 1}.${last}`;
    },
  ],
  [/^classifier\.1\.(\w+)$/, (_, last) => `fc.${last}`],
];

/** Other spellings of a file's name, the file's own first. */
function spellings(name: string): string[] {
  const found = [name];
  for (const [a, b] of synonyms) {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const other = name
        .split(".")
        .map((segment) => (segment === from ? to : segment))
        .join(".");
      if (other !== name) found.push(other);
    }
  }
  const plain = name.replace(/^resnet\./, "");
  for (const [pattern, own] of huggingFace) {
    if (pattern.test(plain)) found.push(plain.replace(pattern, own));
  }
  return found;
}

/** Mean and standard deviation of a normalization in front of the network, by the code that writes them. */
const normalizer = /^(?:.*\.)?(?:(mean|mu|new_mean)|(std|sigma|new_std))$/;

/**
 * Tells whether a name is of something that a network's answers do not need: counts of batches, TRADES'
 * block that its network does not apply, copies of the network in MadryLab's attacker.
 */
const isUnused = (name: string) =>
  /(^|\.)num_batches_tracked$/.test(name) ||
  /(^|\.)sub_block1\./.test(name) ||
  /^attacker\./.test(name) ||
  name === "n_averaged";

/** Own name of each of the file's names under a prefix, and the names that are left. */
function matchUnder(prefix: string, given: readonly string[], wanted: ReadonlySet<string>) {
  const names = new Map<string, string>();
  const left: string[] = [];
  for (const name of given) {
    const own = name.startsWith(prefix)
      ? spellings(name.slice(prefix.length)).find((one) => wanted.has(one))
      : undefined;
    if (own === undefined || names.has(own)) left.push(name);
    else names.set(own, name);
  }
  return { names, left };
}

/** Beginnings of the file's names under which one of the module's names stands. */
function prefixesOf(given: readonly string[], wanted: ReadonlySet<string>): string[] {
  const found = new Set([""]);
  for (const name of given) {
    for (let at = name.indexOf("."); at >= 0; at = name.indexOf(".", at + 1)) {
      const rest = name.slice(at + 1);
      if (spellings(rest).some((one) => wanted.has(one))) found.add(name.slice(0, at + 1));
    }
  }
  return [...found].sort((a, b) => a.length - b.length);
}

/**
 * Finds a module's weights among a file's by their names: as they are, by the field's other spellings, or
 * under a prefix.
 *
 * Undefined unless each of the module's weights is found, and nothing else is left but what no network needs
 * and the statistics of a normalization.
 */
export function matchNames(given: readonly string[], wanted: ReadonlySet<string>): NameMatch | undefined {
  for (const prefix of prefixesOf(given, wanted)) {
    const { names, left } = matchUnder(prefix, given, wanted);
    if (names.size < wanted.size) continue;
    const rest = left.filter((name) => !isUnused(name));
    const mean = rest.find((name) => normalizer.exec(name)?.[1] !== undefined);
    const std = rest.find((name) => normalizer.exec(name)?.[2] !== undefined);
    if (rest.some((name) => name !== mean && name !== std)) continue;
    if ((mean === undefined) !== (std === undefined)) continue;
    const statistics = mean === undefined ? undefined : { mean, std: std! };
    return { names, prefix, statistics, unused: left.filter(isUnused) };
  }
  return undefined;
}

/**
 * Prefix under which all of a module's weights are, though other names are beside them; undefined for none or
 * several.
 */
export function likelyPrefix(given: readonly string[], wanted: ReadonlySet<string>): string | undefined {
  const complete = prefixesOf(given, wanted).filter(
    (prefix) => matchUnder(prefix, given, wanted).names.size === wanted.size,
  );
  return complete.length === 1 ? complete[0] : undefined;
}

/**
 * Beginning of the module's names that the file's lack: those of a part of it, as where a normalization was
 * put in front of the network later. Undefined for none.
 */
export function lackingPrefix(given: readonly string[], wanted: ReadonlySet<string>): string | undefined {
  const names = [...wanted];
  return prefixesOf(names, new Set(given)).find((prefix) => {
    const part = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    return prefix !== "" && matchNames(given, new Set(part)) !== undefined;
  });
}
