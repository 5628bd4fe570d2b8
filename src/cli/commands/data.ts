import { relative } from "node:path";
import * as z from "zod";
import { unknownName } from "../../base/index.js";
import { cifar10, cifar10Archive, cifar10CacheFolder } from "../../datasets/cifar10.js";
import { fetchArchive } from "../../datasets/fetch-archive.js";
import { datasetByName } from "../../datasets/index.js";
import { defineCommand } from "../frame/command.js";
import { note, out } from "../frame/output.js";
import { Progress } from "../frame/progress.js";
import { asUsage, UsageError } from "../frame/usage-error.js";

/** Data sets that are published as an archive; the others come with an installation. */
const archives = { [cifar10.name]: { archive: cifar10Archive, folder: cifar10CacheFolder } };

function archiveOf(name: string) {
  const found = Object.hasOwn(archives, name) ? archives[name] : undefined;
  if (found !== undefined) return found;
  const known = asUsage(() => datasetByName(name));
  throw new UsageError(`data set ${name} is not fetched: it is found at ${known.locate()}`);
}

/** `sqa data fetch cifar10`: downloads the official archive and checks its files. */
export const dataCommand = defineCommand({
  name: "data",
  summary: "fetch a data set that is published as an archive",
  description:
    "Download a data set's official archive, check its files by SHA-1, and put them where training and evaluation look for " +
    "them. A download that was broken off goes on; files that are there already are not fetched again. Prints the folder.",
  operands: [
    { name: "action", description: "fetch" },
    { name: "name", description: `which data set: ${Object.keys(archives).join(", ")}` },
  ],
  options: z.strictObject({
    to: z
      .string()
      .min(1)
      .meta({ placeholder: "FOLDER" })
      .optional()
      .describe("where to put the files; read from there with --data FOLDER"),
    url: z
      .url({ protocol: /^https?$/ })
      .meta({ accepted: "an https or http address", placeholder: "URL" })
      .optional()
      .describe("another address of the same archive"),
  }),
  examples: ["sqa data fetch cifar10", "sqa data fetch cifar10 --to data/cifar10"],
  async run({ to, url }, { operands: [action, name], signal }) {
    if (action !== "fetch") throw new UsageError(unknownName("action", action!, ["fetch"]).message);
    const { archive, folder: place } = archiveOf(name!);
    const folder = to ?? place();
    using progress = new Progress({ label: "fetch (MB)" });
    const megabytes = (bytes: number) => Math.round(bytes / 1e6);
    const fetched = await fetchArchive({ ...archive, url: url ?? archive.url }, folder, {
      signal,
      onProgress: ({ done, total }) =>
        progress.update({ done: megabytes(done), ...(total === undefined ? {} : { total: megabytes(total) }) }),
    });
    progress.finish();
    note(fetched ? "every file is the official one" : "the files are there already, and the official ones");
    const near = relative(process.cwd(), folder);
    out(near.startsWith("..") || near === "" ? folder : near);
    return 0;
  },
});
