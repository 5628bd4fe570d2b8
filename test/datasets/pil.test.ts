import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodeImage } from "../../src/datasets/pixels/decode.js";
import { type Fit, fitted } from "../../src/datasets/pixels/fit.js";
import { sha256 } from "../../src/datasets/pixels/pixel-cache.js";
import { fileBytes, openNpz } from "../../src/files/index.js";

const golden = new URL("../golden/images", import.meta.url).pathname;

/** Pictures as PIL made them, by the options in an array's name (test/golden/images.py). */
const expected = openNpz(fileBytes(join(golden, "expected.npz")));

interface Case {
  readonly name: string;
  readonly file: string;
  readonly fit: Fit;
}

const cases: Case[] = [...expected.keys()].map((name) => {
  const [file, options, interpolation = "bilinear"] = name.split(" ");
  const given = options === "none" ? [] : options!.split(",").map((option) => option.split("="));
  const values = given.map(([key, value]) => [key, key === "channels" ? value : Number(value)]);
  const fit = { interpolation, channels: "color", ...Object.fromEntries(values) } as Fit;
  return { name, file: file!, fit };
});

async function largestDifference({ name, file, fit }: Case): Promise<number> {
  const array = expected.get(name)!();
  const image = await decodeImage(readFileSync(join(golden, file)), file);
  const found = fitted(image, fit)!;
  expect(found.shape, name).toEqual(array.shape);
  const wanted = array.read(0, array.size);
  return found.bytes.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0);
}

describe("images are as PIL makes them", () => {
  test("there are cases of every format, filter and option", () => {
    expect(cases.length).toBeGreaterThan(70);
    expect(new Set(cases.map(({ file }) => file)).size).toBe(9);
  });

  test.each(cases.filter(({ file }) => !file.endsWith(".jpg")))("the same bytes: $name", async (one) => {
    expect(await largestDifference(one)).toBe(0);
  });

  test.each(cases.filter(({ file }) => file.endsWith(".jpg")))(
    "the same bytes of a JPEG: $name",
    async (one) => {
      expect(await largestDifference(one)).toBe(0);
    },
  );

  // SHA-256 of what Pillow 12.3 makes of the same strip, as (C, H, W).
  test.each([
    [{ size: 16, interpolation: "bicubic" }, "dca6d1d6a6126025"],
    [{ resize: 1, interpolation: "bilinear" }, "704b0a0ee94810bf"],
  ] as const)("the same bytes of a strip that is 111 times as high as wide: %j", (options, wanted) => {
    const pixels = Uint8Array.from({ length: 3 * 333 * 3 }, (_, i) => i * 37 + (i >> 3) * 11);
    const strip = { pixels, width: 3, height: 333, channels: 3 };
    const { bytes } = fitted(strip, { channels: "color", ...options })!;
    expect(sha256(bytes).toString("hex").slice(0, 16)).toBe(wanted);
  });

  const variants = join(golden, "variants");
  const decoded = openNpz(fileBytes(join(variants, "expected.npz")));
  const forms = readdirSync(variants).filter((name) => !/\.npz$|^gray-16/.test(name));

  test("there are inks, palettes, transparency, depths and turned cameras", () => {
    expect(forms.length).toBeGreaterThan(40);
    expect(forms).toEqual(expect.arrayContaining(["cmyk.jpg", "ycck.jpg", "palette-4-clear.png"]));
  });

  test.each(forms)("the same bytes of a variant: %s", async (name) => {
    const image = await decodeImage(readFileSync(join(variants, name)), name);
    const wanted = decoded.get(name)!();
    expect([image.height, image.width, 3]).toEqual(wanted.shape);
    expect(Buffer.from(image.pixels).equals(Buffer.from(wanted.read(0, wanted.size)))).toBe(true);
  });

  test("but for gray of 16 bits, which PIL makes white", async () => {
    const name = "gray-16.png";
    const wanted = decoded.get(name)!();
    expect(wanted.read(0, wanted.size).filter((value) => value < 255).length).toBeLessThan(20);
    const bytes = readFileSync(join(variants, name));
    await expect(decodeImage(bytes, name)).rejects.toThrow(/gray PNG of 16 bits.*save it with 8 bits/);
  });
});
