import { createRequire } from "node:module";
import { gunzipSync } from "node:zlib";
import type * as Hyparquet from "hyparquet";
import type * as Column from "hyparquet/src/column.js";
import { FileFormatError, messageOf, shownName } from "../../base/index.js";
import type { ByteSource } from "../byte-source.js";

/** A column's values: those of a string or of bytes are Uint8Arrays. */
export type ParquetValues = ArrayLike<unknown>;

/** Rows that lie together in a file. */
export interface ParquetRowGroup {
  readonly rows: number;
  /** Values of a column, by its path in the schema such as `image.bytes`. */
  column(path: string): ParquetValues;
}

export interface ParquetFile {
  /** Paths of the columns in the schema. */
  readonly columns: readonly string[];
  /** Notes of programs beside the schema, such as `huggingface`. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly rowGroups: readonly ParquetRowGroup[];
}

const mostFooterBytes = 2 ** 26;
const mostRows = 2 ** 26;
const mostGroupRows = 2 ** 20;
const mostChunkBytes = 2 ** 29;
const mostPageBytes = 2 ** 29;
/** All pages of a column in a row group, unpacked. */
const mostUnpackedBytes = 2 ** 30;
const smaller = ": write it anew with smaller row groups, such as row_group_size=100";
/** A snappy page cannot unpack to more times its size than this. */
const mostExpansion: Readonly<Record<string, number>> = { UNCOMPRESSED: 1, SNAPPY: 64, GZIP: 1100 };

/** The library, loaded when a file is first read. */
function library(): { readonly main: typeof Hyparquet; readonly column: typeof Column } {
  try {
    const inside = createRequire(createRequire(import.meta.url).resolve("hyparquet"));
    return { main: inside("hyparquet"), column: inside("hyparquet/src/column.js") };
  } catch (cause) {
    throw new Error("parquet files are read by Node 20.19 or later, with the package hyparquet", { cause });
  }
}

/**
 * Opens a parquet file: reads its description, and row groups when they are asked for. Uncompressed, snappy
 * and gzip pages.
 *
 * Throws a FileFormatError that begins with the source's name for anything else, for counts and places that
 * do not fit the file, and for more than can be held.
 */
export function openParquet(source: ByteSource): ParquetFile {
  const { name, size } = source;
  const refuse = (problem: string, cause?: unknown) => new FileFormatError(`${name}: ${problem}`, { cause });
  const damaged = (cause: unknown) => refuse(`damaged parquet file (${shownName(messageOf(cause))})`, cause);
  const { main, column } = library();
  if (size < 12) throw refuse("no parquet file: it is too short");
  const tail = Buffer.from(source.read(size - 8, 8));
  if (tail.toString("latin1", 4) !== "PAR1")
    throw refuse("no parquet file, or truncated: it does not end in PAR1");
  const footerBytes = tail.readUInt32LE(0);
  if (footerBytes > mostFooterBytes || footerBytes + 12 > size)
    throw refuse(`its description claims ${footerBytes} bytes: damaged`);
  let description: Hyparquet.FileMetaData;
  let leaves: Leaf[];
  try {
    description = main.parquetMetadata(source.read(size - 8 - footerBytes, footerBytes + 8), {
      geoparquet: false,
    });
    leaves = leavesOf(main.parquetSchema(description));
  } catch (cause) {
    throw damaged(cause);
  }
  let total = 0;
  const rowGroups = description.row_groups.map((group): ParquetRowGroup => {
    const rows = Number(group.num_rows);
    total += rows;
    if (!(rows >= 0 && rows <= mostGroupRows) || total > mostRows)
      throw refuse(`a row group of ${rows} rows: more than are read, or damaged`);
    return { rows, column: (path) => readColumn(group, rows, path) };
  });
  const metadata = new Map(
    (description.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? ""] as const),
  );
  return { columns: leaves.map(({ path }) => path), metadata, rowGroups };

  function readColumn(group: Hyparquet.RowGroup, rows: number, path: string): ParquetValues {
    const place = leaves.findIndex((leaf) => leaf.path === path);
    const meta = group.columns[place]?.meta_data;
    const leaf = leaves[place];
    if (leaf === undefined || meta === undefined || meta.path_in_schema.join(".") !== path)
      throw refuse(`column ${shownName(path)} is missing in a row group`);
    if (leaf.repeated) throw refuse(`column ${shownName(path)} holds lists`);
    if (mostExpansion[meta.codec] === undefined)
      throw refuse(
        `pages are packed by ${shownName(String(meta.codec))}; snappy and gzip are read: ` +
          'write it anew with compression="snappy"',
      );
    const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
    const length = Number(meta.total_compressed_size);
    if (!(length > 0 && length <= mostChunkBytes))
      throw refuse(`a column of ${length} bytes in a row group, more than ${mostChunkBytes}${smaller}`);
    // hyparquet reads from the beginning of a buffer.
    const bytes = source.read(Math.min(start, Number(meta.data_page_offset)), length).slice();
    try {
      checkPages(bytes, rows, String(meta.codec), column);
      const reader = { view: new DataView(bytes.buffer), offset: 0 };
      const decoder = {
        pathInSchema: meta.path_in_schema,
        element: leaf.element,
        schemaPath: leaf.schemaPath,
        compressors: { GZIP: gunzip },
        utf8: false,
        ...meta,
        parsers: parsersOf,
      };
      const select = { groupStart: 0, selectStart: 0, selectEnd: rows, groupRows: rows };
      const read = column.readColumn(reader, select, decoder as never);
      const values = read.data.flatMap((part) => Array.from(part as ArrayLike<unknown>, unwrapped));
      if (values.length !== rows) throw new Error(`${values.length} values for ${rows} rows`);
      return values;
    } catch (cause) {
      throw cause instanceof FileFormatError ? cause : damaged(cause);
    }
  }
}

interface Leaf {
  readonly path: string;
  readonly element: Hyparquet.SchemaElement;
  readonly schemaPath: readonly Hyparquet.SchemaTree[];
  readonly repeated: boolean;
}

/** Columns in the order in which row groups list them. */
function leavesOf(tree: Hyparquet.SchemaTree, above: readonly Hyparquet.SchemaTree[] = []): Leaf[] {
  const schemaPath = [...above, tree];
  if (tree.children.length > 0) return tree.children.flatMap((child) => leavesOf(child, schemaPath));
  const { element } = tree;
  const repeated = schemaPath.some((one) => one.element.repetition_type === "REPEATED");
  return [{ path: tree.path.join("."), element, schemaPath, repeated }];
}

/** Value without the list that each optional group around it makes of it. */
function unwrapped(value: unknown): unknown {
  return Array.isArray(value) ? unwrapped(value[0]) : value;
}

/**
 * Throws unless a column's pages fit its bytes, unpack to no more than they can, and fit the rows. Looks at
 * every page: the library reads nested columns to the end of their bytes.
 */
function checkPages(bytes: Uint8Array, rows: number, codec: string, column: typeof Column): void {
  const reader = { view: new DataView(bytes.buffer), offset: 0 };
  let [values, total] = [0, 0];
  while (reader.offset < bytes.length - 1) {
    const header = column.parquetHeader(reader);
    const packed = Number(header.compressed_page_size);
    const unpacked = Number(header.uncompressed_page_size);
    const least = Math.min(mostPageBytes, packed * mostExpansion[codec]! + 1024);
    if (!(packed >= 0 && packed <= bytes.length - reader.offset && unpacked >= 0 && unpacked <= least))
      throw new Error(`a page of ${packed} bytes that unpacks to ${unpacked}`);
    total += unpacked;
    if (total > mostUnpackedBytes)
      throw new Error(`pages that unpack to more than ${mostUnpackedBytes} bytes${smaller}`);
    reader.offset += packed;
    // Each kind of page is read by its own description; a page may carry several.
    const { data_page_header: first, data_page_header_v2: second, dictionary_page_header: words } = header;
    // A dictionary of categories has those, too, that no row is of; each takes a byte at least.
    const listed = Number(words?.num_values ?? 0);
    if (!(listed >= 0 && listed <= Math.min(unpacked, mostGroupRows)))
      throw new Error(`a dictionary of ${listed} values in ${unpacked} bytes`);
    const counts = [first?.num_values, second?.num_values, second?.num_rows];
    for (const count of counts.map((value) => Number(value ?? 0)))
      if (!(count >= 0 && count <= rows)) throw new Error(`a page of ${count} values for ${rows} rows`);
    values += Number(first?.num_values ?? second?.num_values ?? 0);
    if (values > rows) throw new Error(`pages of ${values} values for ${rows} rows`);
  }
}

function gunzip(bytes: Uint8Array, size: number): Uint8Array {
  return gunzipSync(bytes, { maxOutputLength: Math.max(1, size) });
}

/** Types beyond numbers and bytes, which no image or label has, are left as they are stored. */
const unread = (value: unknown) => value;
const parsersOf = {
  timestampFromMilliseconds: unread,
  timestampFromMicroseconds: unread,
  timestampFromNanoseconds: unread,
  dateFromDays: unread,
  stringFromBytes: unread,
  jsonFromBytes: unread,
  geometryFromBytes: unread,
  geographyFromBytes: unread,
  uuidFromBytes: unread,
};
