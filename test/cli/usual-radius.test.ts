import { expect, it } from "vitest";
import { attacks } from "../../src/attacks/index.js";
import { noteUnusualRadius } from "../../src/cli/frame/words/usual-radius.js";
import { main } from "../../src/cli/main.js";
import { cifar10, mnist } from "../../src/datasets/index.js";
import { methods } from "../../src/training/index.js";
import { captureOutput } from "./captured-output.js";

const noted = (...given: Parameters<typeof noteUnusualRadius>) => {
  using captured = captureOutput();
  noteUnusualRadius(...given);
  return captured.stderr.text;
};

it("an attack that names no radius is told where its own is not usual for the images", () => {
  const apgd = attacks.parse("apgd(steps=5)");
  expect(noted([apgd], cifar10())).toBe(
    "apgd(steps=5) names no radius and takes 0.3; usual for cifar10 is 8/255, given as epsilon=8/255\n",
  );
  expect(noted([apgd], mnist())).toBe("");
  const others = ["apgd(epsilon=16/255)", "worst-case(pgd(epsilon=0.2))", "pgd(norm=l2)", "cw-l2"];
  expect(
    noted(
      others.map((text) => attacks.parse(text)),
      cifar10(),
    ),
  ).toBe("");
});

it("so is a training method", () => {
  expect(noted([methods.parse("n-fgsm")], cifar10())).toMatch(/^n-fgsm names no radius and takes 0\.3;/);
  expect(noted([methods.parse("n-fgsm(epsilon=8/255)"), methods.parse("standard")], cifar10())).toBe("");
});

it.each([
  ["train", "--model", "small", "--method", "n-fgsm", "--epochs", "1"],
  ["train", "--model", "small", "--validation-attack", "apgd", "--epochs", "1"],
])("%s says so before anything runs", async (...words) => {
  using captured = captureOutput();
  await main([...words, "--images", "fashion-mnist(folder=nowhere)"]);
  expect(captured.stderr.text).toMatch(/ names no radius and takes 0\.3; usual for fashion-mnist is 0\.1/);
});
