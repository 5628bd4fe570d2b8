/**
 * Mean logits of an image over draws of a randomized model, and their standard deviation, which is 0 for a
 * model without noise. All draws are one batch: with SQA each image of a batch draws by itself.
 *
 * @param ort the module of ONNX Runtime
 * @param session of a model that `sqa export` wrote
 * @param image numbers in [0, 1], as many as the shape takes
 * @param shape channels, height and width
 */
export async function meanLogits(ort, session, image, shape, draws) {
  const batch = new Float32Array(draws * image.length);
  for (let draw = 0; draw < draws; draw++) batch.set(image, draw * image.length);
  const images = new ort.Tensor("float32", batch, [draws, ...shape]);
  const { logits } = await session.run({ images });
  const classes = logits.dims[1];
  const of = (label) => Array.from({ length: draws }, (_, draw) => logits.data[draw * classes + label]);
  const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const mean = Array.from({ length: classes }, (_, label) => average(of(label)));
  const deviation = mean.map((value, label) =>
    Math.sqrt(average(of(label).map((drawn) => (drawn - value) ** 2))),
  );
  return { mean, deviation };
}
