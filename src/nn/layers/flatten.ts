import type { Tensor } from "../../engine/index.js";
import { Module } from "../module.js";

/** (N, C, H, W) to (N, C * H * W), in row-major order. */
export class Flatten extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.flatten(1);
  }
}
