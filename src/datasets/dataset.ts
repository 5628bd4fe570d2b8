import type * as z from "zod";
import { parseOptions } from "../options/schema.js";

/**
 * Images and labels that belong together, uint8 as on disk: a pixel p stands for p / 255.
 *
 * `images` holds count x C x H x W bytes, row-major (N, C, H, W), and may be a view into a larger buffer; `labels` holds
 * one class number an image. Both are shared by everybody who asks for them: nobody writes to them.
 */
export type Split = { readonly images: Uint8Array; readonly labels: Uint8Array; readonly count: number };

export type SplitName = "train" | "test";

/** A data set that was located; each split is read when it is first asked for, and kept. */
export type Dataset = {
  readonly name: string;
  /** Number of classes. */
  readonly classes: number;
  readonly classNames: readonly string[];
  /** Channels, height and width. */
  readonly imageShape: readonly [number, number, number];
  /** The training split; getter: the first use reads its files. */
  readonly train: Split;
  /** The test split; getter: the first use reads its files. */
  readonly test: Split;
};

/** What a data set's own file says about it. */
export type DatasetParts<Options extends z.ZodObject> = {
  /** One line for lists and help. */
  readonly summary: string;
  readonly options: Options;
  readonly classNames: readonly string[];
  readonly imageShape: readonly [number, number, number];
  /** The folder that would be read; throws an Error that says how to get the data when a file is missing. */
  locate(options: z.output<Options>): string;
  /** Reads and checks one split; throws a FileFormatError that names the file. */
  read(options: z.output<Options>, split: SplitName): Split;
};

/** A data set that can be loaded: what `defineDataset` returns, and what the registry holds. */
export type DatasetDefinition<Options extends z.ZodObject = z.ZodObject> = Omit<
  DatasetParts<Options>,
  "locate" | "read"
> & {
  readonly name: string;
  /** The folder that `load` would read; throws, and says how to get the data, when a file is missing. Reads no file. */
  locate(options?: z.input<Options>): string;
  /** The data set; no file is read before a split is asked for. Throws a RangeError for an unknown or wrong option. */
  load(options?: z.input<Options>): Dataset;
};

/** Makes a data set out of its parts: one file a data set, and one line in the registry. */
export function defineDataset<Options extends z.ZodObject>(
  name: string,
  parts: DatasetParts<Options>,
): DatasetDefinition<Options> {
  const { summary, options: schema, classNames, imageShape } = parts;
  const load = (given?: z.input<Options>): Dataset => {
    const options = parseOptions("data set", name, schema, given ?? {});
    let train: Split | undefined;
    let test: Split | undefined;
    return {
      name,
      classes: classNames.length,
      classNames,
      imageShape,
      get train() {
        train ??= parts.read(options, "train");
        return train;
      },
      get test() {
        test ??= parts.read(options, "test");
        return test;
      },
    };
  };
  const locate = (given?: z.input<Options>) => parts.locate(parseOptions("data set", name, schema, given ?? {}));
  return { name, summary, options: schema, classNames, imageShape, locate, load };
}
