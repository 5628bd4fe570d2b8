import * as z from "zod";
import { unknownName } from "../../base/index.js";
import { type Dataset, datasets, fetchArchive } from "../../datasets/index.js";
import { defineCommand } from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { note, out } from "../frame/output.js";
import { Progress } from "../frame/progress.js";
import { textOption } from "../frame/run-options.js";
import { shownPath } from "../frame/shown-path.js";
import { asUsage, UsageError } from "../frame/usage-error.js";

/** Data sets that are published as an archive; the others come with an installation. */
function withArchives(): Dataset[] {
  return datasets.definitions
    .map((definition) => definition.make({}))
    .filter(({ archive }) => archive !== undefined);
}

function archiveOf(name: string): NonNullable<Dataset["archive"]> {
  const data = asUsage(() => datasets.parse(name));
  if (data.archive !== undefined) return data.archive;
  throw new UsageError(`data set ${name} needs no fetching: it is in ${data.locate?.()}`);
}

/** `sqa data fetch cifar10`: downloads the official archive and checks its files. */
export const dataCommand = defineCommand({
  name: "data",
  summary: "fetch a data set that is published as an archive",
  description:
    "Download a data set's official archive, check its files by SHA-1, and put them where training and " +
    "evaluation look for them. The same command resumes a broken download. Neither files that are there " +
    "already nor an archive in the folder are fetched again. Prints the folder.",
  operands: [
    { name: "action", description: "fetch", words: ["fetch"] },
    {
      name: "name",
      description: `data set: ${withArchives()
        .map(({ name }) => name)
        .join(", ")}`,
      words: withArchives().map(({ name }) => name),
    },
  ],
  options: z.strictObject({
    to: textOption("FOLDER")
      .optional()
      .describe("folder for the files, read by --images 'cifar10(folder=FOLDER)'"),
    url: z
      .url({ protocol: /^https?$/ })
      .meta({ accepted: "an https or http address", placeholder: "URL" })
      .optional()
      .describe("another address of the same archive"),
    force: z
      .boolean()
      .default(false)
      .describe("replace files that have the official names, but other contents"),
  }),
  examples: ["sqa data fetch cifar10", "sqa data fetch cifar10 --to data/cifar10"],
  async run({ to, url, force }, { operands: [action, name], signal }) {
    if (action !== "fetch") throw new UsageError(unknownName("action", action!, ["fetch"]).message);
    const archive = archiveOf(name!);
    const folder = to ?? archive.folder;
    using progress = new Progress({ label: "fetch (MB)" });
    const megabytes = (bytes: number) => Math.round(bytes / 1e6);
    const fetched = await fetchArchive({ ...archive, url: url ?? archive.url }, folder, {
      signal,
      // In its own folder are only files that it has put there.
      replace: force || to === undefined,
      onRemark: note,
      onProgress: ({ done, total }) =>
        progress.update({
          done: megabytes(done),
          ...(total === undefined ? {} : { total: megabytes(total) }),
        }),
    });
    progress.finish();
    note(fetched ? "every file is the official one" : "the files are there already, and the official ones");
    out(shownPath(folder));
    return exitCode.done;
  },
});
