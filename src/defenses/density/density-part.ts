import * as z from "zod";
import type { PartKind } from "../stored-part.js";
import { PixelCnn, type PixelCnnSizes } from "./pixel-cnn.js";

/** Density models of images, as files hold them. */
export const densityPart = {
  name: "density model",
  command: "sqa density",
  sizes: z.strictObject({
    channels: z.int().min(1).max(16),
    filters: z.int().min(1).max(256),
    layers: z.int().min(1).max(32),
    mixtures: z.int().min(1).max(64),
  }),
  build: (sizes) => new PixelCnn(sizes, 0),
} satisfies PartKind<PixelCnnSizes, PixelCnn>;
