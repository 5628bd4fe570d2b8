import * as z from "zod";
import { FileFormatError, unknownName } from "../../base/index.js";
import { readTorchCheckpoint, type StateDict, stateDictOf, writeSafetensors } from "../../files/index.js";
import { defineCommand } from "../frame/command.js";
import { note, out } from "../frame/output.js";
import { shownPath } from "../train-output.js";

/** The state dict's tensors as they are written, with a word on what changed. */
function converted({ tensors, left }: StateDict) {
  const written = [...tensors].map(([name, tensor]) => [name, tensor.toRowMajor()] as const);
  const types = new Map<string, number>();
  for (const [, { type }] of tensors) types.set(type, (types.get(type) ?? 0) + 1);
  const changed = [...types]
    .filter(([type]) => type !== "float32" && type !== "int64")
    .map(([type, count]) => `${count} of ${type} as ${/^(float|bfloat)/.test(type) ? "float32" : "int64"}`);
  return { written, changed, left };
}

/** `sqa import FILE.pt --out W.safetensors`: PyTorch weights without executing what the file asks for. */
export const importCommand = defineCommand({
  name: "import",
  summary: "read PyTorch weights (.pt, .pth) and write them as safetensors",
  description:
    "Read the weights of a PyTorch checkpoint (.pt, .pth, a state dict saved by torch.save) and write them as safetensors. " +
    "Nothing in the file is executed: what is neither tensor, plain container, number nor text is refused and named.",
  operands: [{ name: "file", description: "the checkpoint" }],
  options: z.strictObject({
    out: z.string().min(1).meta({ placeholder: "FILE" }).describe("safetensors file to write"),
    key: z
      .string()
      .min(1)
      .optional()
      .describe("where in the checkpoint the weights are, such as state_dict; found where there is but one place"),
  }),
  examples: [
    "sqa import resnet18.pt --out resnet18.safetensors",
    "sqa evaluate --weights resnet18.safetensors --network resnet18 --dataset cifar10",
  ],
  async run({ out: target, key }, { operands: [file] }) {
    const state = stateDictOf(readTorchCheckpoint(file!), key);
    if (state.tensors.size === 0) {
      if (key !== undefined && !state.places.includes(key)) throw unknownName("key", key, [...state.places]);
      const where =
        state.places.length === 0 ? "" : `: it has weights under ${state.places.join(", ")}; give one by --key`;
      throw new FileFormatError(`${file}: no weights are found${where}`);
    }
    const { written, changed, left } = converted(state);
    writeSafetensors(target, written);
    if (state.place !== undefined) note(`weights under "${state.place}"`);
    if (state.prefix !== "") note(`without the prefix "${state.prefix}" of every name`);
    if (left.length > 0) note(`left out, for they are no tensors: ${left.join(", ")}`);
    for (const change of changed) note(`written: ${change}`);
    note(`${written.length} tensors`);
    out(shownPath(target));
    return 0;
  },
});
