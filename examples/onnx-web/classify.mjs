// Runs an exported model in Node by onnxruntime-web, which is no part of sqa: in an empty folder,
//
//   npm install onnxruntime-web
//   npx sqa export runs/NAME model.onnx
//   node classify.mjs model.onnx [DRAWS]
//
// The same code runs in a browser: index.html beside this file.
import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-web";
import { meanLogits } from "./mean-logits.mjs";

const [path, draws = "10"] = process.argv.slice(2);
if (path === undefined) {
  console.error("usage: node classify.mjs model.onnx [DRAWS]");
  process.exit(64);
}
const session = await ort.InferenceSession.create(await readFile(path));
const [, ...shape] = session.inputMetadata[0].shape;
const pixels = shape.reduce((product, side) => product * side, 1);
// An image of your own goes here: numbers in [0, 1], channel by channel, each row by row.
const image = Float32Array.from({ length: pixels }, (_, i) => (i % 29) / 28);
const { mean, deviation } = await meanLogits(ort, session, image, shape, Number(draws));
console.log(`class ${mean.indexOf(Math.max(...mean))}`);
for (const [label, value] of mean.entries())
  console.log(`${label}: ${value.toFixed(3)} ± ${deviation[label].toFixed(3)}`);
