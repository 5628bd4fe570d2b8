// Unpacks a data set on a GPU machine: node unpack-data.mjs PACKED_FOLDER FOLDER
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { unpackRecords } from "./packed-records.mjs";

const [from = ".", to = "."] = process.argv.slice(2);
mkdirSync(to, { recursive: true });
for (const name of readdirSync(from).filter((file) => file.endsWith(".br"))) {
  const file = join(to, basename(name, ".br"));
  writeFileSync(`${file}.new`, unpackRecords(readFileSync(join(from, name))));
  renameSync(`${file}.new`, file);
}
