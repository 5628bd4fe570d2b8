import * as z from "zod";
import type { PartKind } from "../stored-part.js";
import { UNet, type UNetSizes } from "./u-net.js";

/** Denoisers of images, as files hold them. */
export const denoiserPart = {
  name: "denoiser",
  command: "sqa denoiser",
  sizes: z.strictObject({ channels: z.int().min(1).max(16), width: z.int().min(1).max(128) }),
  build: (sizes) => new UNet(sizes, 0),
} satisfies PartKind<UNetSizes, UNet>;
