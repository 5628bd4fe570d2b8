// Attacks the models of make_models.py as PyTorch did, and compares image for image:
//
//     npx tsx examples/pytorch/compare.ts FOLDER
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { evaluate, fgsm, imagesFrom, modelFromFile, pgd } from "sqa";

/** Outcomes of a model in PyTorch: 1 where it stays correct, in the order of `images`. */
type Outcomes = Readonly<Record<"clean" | "fgsm" | "pgd", readonly number[]>>;

const [folder = "models"] = process.argv.slice(2);
const stored = JSON.parse(readFileSync(join(folder, "outcomes.json"), "utf8")) as {
  readonly epsilon: number;
  readonly images: readonly string[];
} & Readonly<Record<string, unknown>>;
const { epsilon } = stored;
const photos = imagesFrom(join(folder, "photos")).test;
const names = Array.from({ length: photos.count }, (_, i) => photos.stored!.id(i));
const attacks = [fgsm({ epsilon }), pgd({ epsilon, steps: 20, stepSize: 1 / 255, randomStart: false })];

for (const kind of ["plain", "quantized"]) {
  const model = await modelFromFile(join(folder, `${kind}.pt2`));
  for (const warning of model.warnings) console.log(`${kind}: ${warning}`);
  const { clean, attacks: rows } = await evaluate(model, photos, { attacks });
  const found = { clean: clean.perImage, fgsm: rows[0]!.perImage, pgd: rows[1]!.perImage };
  const wanted = stored[kind] as Outcomes;
  for (const attack of ["clean", "fgsm", "pgd"] as const) {
    const order = names.map((name) => stored.images.indexOf(name));
    const same = order.filter((at, i) => wanted[attack][at] === found[attack][i]).length;
    const correct = found[attack].filter((share) => share === 1).length;
    console.log(`${kind} ${attack}: ${correct} of ${photos.count} correct, ${same} as in PyTorch`);
  }
}
