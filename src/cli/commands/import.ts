import * as z from "zod";
import { countText, shownName, writeNewFile } from "../../base/index.js";
import { commonSegment, encodeSafetensors, readCheckpointWeights, someNames } from "../../files/index.js";
import { defineCommand } from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { weightsOptions } from "../frame/inputs/input-options.js";
import { sayWarning } from "../frame/look.js";
import { note, out } from "../frame/output.js";
import { textOption } from "../frame/run-options.js";
import { shownPath } from "../frame/shown-path.js";

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
    out: textOption("FILE").describe("safetensors file to write"),
    ...weightsOptions,
    force: z.boolean().default(false).describe("replace the file that is there"),
  }),
  endsAtOnce: true,
  examples: [
    "sqa import resnet18.pt --out resnet18.safetensors",
    "sqa evaluate resnet18.safetensors --architecture resnet18 --images cifar10",
  ],
  async run({ out: target, key, prefix, force }, { operands: [file] }) {
    const { tensors, state, remarks } = readCheckpointWeights(file!, { key, prefix });
    writeNewFile(target, encodeSafetensors(tensors), { replace: force });
    for (const remark of remarks) note(remark);
    const segment = commonSegment(state.tensors.keys());
    if (segment !== undefined && tensors.size > 1) {
      note(
        `every name begins with "${shownName(segment)}": where the network has other names, add --prefix ` +
          shownName(segment),
      );
    }
    const notFinite = [...tensors]
      .filter(([, { data }]) => data instanceof Float32Array && !data.every(Number.isFinite))
      .map(([name]) => name);
    if (notFinite.length > 0) {
      sayWarning(`NaN or infinite numbers in ${someNames(notFinite)}: such a network answers nothing`);
    }
    note(countText(tensors.size, "tensor"));
    out(shownPath(target));
    return exitCode.done;
  },
});
