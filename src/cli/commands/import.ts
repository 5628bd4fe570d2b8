import * as z from "zod";
import { FileFormatError, shownName, unknownName, writeNewFile } from "../../base/index.js";
import {
  commonSegment,
  encodeSafetensors,
  readTorchCheckpoint,
  type StateDict,
  stateDictOf,
} from "../../files/index.js";
import { defineCommand } from "../frame/command.js";
import { note, out, warn } from "../frame/output.js";
import { shownPath } from "../frame/shown-path.js";

/** The state dict's tensors as they are written, with what changed. */
function converted({ tensors }: StateDict) {
  const written = [...tensors].map(([name, tensor]) => [name, tensor.toRowMajor()] as const);
  const types = new Map<string, number>();
  for (const [, { type }] of tensors) types.set(type, (types.get(type) ?? 0) + 1);
  const changed = [...types]
    .filter(([type]) => type !== "float32" && type !== "int64")
    .map(([type, count]) => `${count} of ${type} as ${/^(float|bfloat)/.test(type) ? "float32" : "int64"}`);
  return { written, changed };
}

/** The first names of a list, and how many there are beside them. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).map(shownName).join(", ");
  return names.length <= 10 ? shown : `${shown} and ${names.length - 10} more`;
}

/** The weights of a file, which an error about them names. */
function weightsIn(file: string, find: () => StateDict): StateDict {
  try {
    return find();
  } catch (error) {
    if (error instanceof FileFormatError)
      throw new FileFormatError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * Throws, and says where weights are, where none or several dictionaries of the checkpoint could be meant.
 */
function refuse(file: string, key: string | undefined, { places, beside }: StateDict): never {
  if (key !== undefined && !places.includes(key)) throw unknownName("key", key, places.map(shownName));
  const where =
    places.length > 0
      ? `: it has weights under ${listed(places)}; give one by --key`
      : beside.length > 0
        ? `; it has ${listed(beside)}. Save the network's state_dict()`
        : "";
  throw new FileFormatError(`${file}: no weights are found${where}`);
}

/** Says what was passed over, taken away and changed. */
function remark(state: StateDict, changed: readonly string[], notFinite: readonly string[]): void {
  const { place, prefix, left, beside, tensors } = state;
  if (place !== undefined) note(`weights under "${shownName(place)}"`);
  if (beside.length > 0) note(`passed over beside them: ${listed(beside)}`);
  if (prefix !== "") note(`without the prefix "${shownName(prefix)}" of every name`);
  if (left.length > 0) note(`left out, for they are no tensors of the weights: ${listed(left)}`);
  for (const change of changed) note(`written: ${change}`);
  const segment = commonSegment(tensors.keys());
  if (segment !== undefined && tensors.size > 1) {
    note(
      `every name begins with "${shownName(segment)}": where the network has other names, add --prefix ` +
        shownName(segment),
    );
  }
  if (notFinite.length > 0)
    warn(`warning: NaN or infinite numbers in ${listed(notFinite)}: such a network answers nothing`);
}

/** `sqa import FILE.pt --out W.safetensors`: PyTorch weights without executing what the file asks for. */
export const importCommand = defineCommand({
  name: "import",
  summary: "read PyTorch weights (.pt, .pth) and write them as safetensors",
  description:
    "Read the weights of a PyTorch checkpoint (.pt, .pth, a state dict saved by torch.save) and write them " +
    "as safetensors. Nothing in the file is executed: objects beside the weights, such as a script's " +
    "arguments, are passed over.",
  operands: [{ name: "file", description: "the checkpoint" }],
  options: z.strictObject({
    out: z.string().min(1).meta({ placeholder: "FILE" }).describe("safetensors file to write"),
    key: z
      .string()
      .min(1)
      .optional()
      .describe(
        "where in the checkpoint the weights are, such as state_dict; found where there is but one place",
      ),
    prefix: z
      .string()
      .min(1)
      .optional()
      .describe("take the weights whose names begin with this, such as model., and take it away"),
    force: z.boolean().default(false).describe("replace the file that is there"),
  }),
  endsAtOnce: true,
  examples: [
    "sqa import resnet18.pt --out resnet18.safetensors",
    "sqa evaluate resnet18.safetensors --architecture resnet18 --images cifar10",
  ],
  async run({ out: target, key, prefix, force }, { operands: [file] }) {
    const checkpoint = readTorchCheckpoint(file!);
    const state = weightsIn(file!, () => stateDictOf(checkpoint, key, prefix));
    if (state.tensors.size === 0) refuse(file!, key, state);
    const { written, changed } = converted(state);
    writeNewFile(target, encodeSafetensors(written), { replace: force });
    remark(
      state,
      changed,
      written
        .filter(([, { data }]) => data instanceof Float32Array && !data.every(Number.isFinite))
        .map(([name]) => name),
    );
    note(`${written.length} tensors`);
    out(shownPath(target));
    return 0;
  },
});
