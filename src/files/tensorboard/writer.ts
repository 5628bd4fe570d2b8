import { appendFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { makeFolder } from "../../base/index.js";
import { crc32c } from "./crc32c.js";

/** Value of a summary: a scalar, an image of PNG bytes, or a text in Markdown. */
export type SummaryValue =
  | { readonly tag: string; readonly scalar: number }
  | { readonly tag: string; readonly png: Uint8Array; readonly height: number; readonly width: number }
  | { readonly tag: string; readonly text: string };

/** Field of a protocol buffer: a number of the wire type that it is written by. */
const varintField = (field: number, value: number) => [...varint(field * 8), ...varint(value)];
const doubleField = (field: number, value: number) => [
  ...varint(field * 8 + 1),
  ...bytesOf(8, "setFloat64", value),
];
const floatField = (field: number, value: number) => [
  ...varint(field * 8 + 5),
  ...bytesOf(4, "setFloat32", value),
];

/** Bytes, a text, or a message inside another. */
function bytesField(field: number, value: string | Uint8Array | readonly number[]): Uint8Array {
  const content = typeof value === "string" ? Buffer.from(value) : Uint8Array.from(value);
  return Buffer.concat([Uint8Array.from([...varint(field * 8 + 2), ...varint(content.length)]), content]);
}

/** Whole number of at least 0 in groups of 7 bits, the lowest first. */
function varint(value: number): number[] {
  const groups: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) groups.push((rest % 128) + 128);
  return [...groups, rest];
}

function bytesOf(length: number, set: "setFloat32" | "setFloat64", value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(length));
  view[set](0, value, true);
  return new Uint8Array(view.buffer);
}

/** Metadata that names the plugin which shows a value. */
const shownBy = (plugin: string) => bytesField(9, bytesField(1, bytesField(1, plugin)));

function valueMessage(value: SummaryValue): Uint8Array {
  const tag = bytesField(1, value.tag);
  if ("scalar" in value)
    return Buffer.concat([tag, Uint8Array.from(floatField(2, value.scalar)), shownBy("scalars")]);
  if ("text" in value) {
    // A tensor of type string (7), without dimensions.
    const tensor = [...varintField(1, 7), ...bytesField(2, []), ...bytesField(8, value.text)];
    return Buffer.concat([tag, bytesField(8, tensor), shownBy("text")]);
  }
  // Color space 3: RGB, as readers take PNG whatever it holds.
  const size = [...varintField(1, value.height), ...varintField(2, value.width), ...varintField(3, 3)];
  const image = Buffer.concat([Uint8Array.from(size), bytesField(4, value.png)]);
  return Buffer.concat([tag, bytesField(4, image), shownBy("images")]);
}

/** CRC as records hold it: turned by 15 bits and moved, so that a CRC of CRCs is none. */
function maskedCrc(bytes: Uint8Array): Uint8Array {
  const crc = crc32c(bytes);
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  const found = Buffer.alloc(4);
  found.writeUInt32LE(masked);
  return found;
}

/** Record of an event: its length, the length's CRC, the event, its CRC. */
function record(event: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(event.length));
  return Buffer.concat([length, maskedCrc(length), event, maskedCrc(event)]);
}

let files = 0;

/**
 * Writes TensorBoard's event files: `events.out.tfevents.<seconds>.<host>.<process>.<number>`. Each writer
 * has a file of its own and appends whole records, so no file is ever torn but at its end, by a crash.
 */
export class TensorBoardWriter {
  readonly path: string;
  #waiting: Uint8Array[] = [];

  /**
   * @param step that was the last one done; readers forget what earlier files tell of later steps
   */
  constructor(
    folder: string,
    step: number,
    readonly now: () => number = Date.now,
  ) {
    makeFolder(folder);
    const seconds = String(Math.floor(now() / 1000)).padStart(10, "0");
    const host = hostname().replace(/[^\w.-]/g, "_") || "localhost";
    this.path = join(folder, `events.out.tfevents.${seconds}.${host}.${process.pid}.${files++}`);
    this.#add(0, bytesField(3, "brain.Event:2"));
    // A session log that says START: readers drop what they know of this step and later ones.
    this.#add(step + 1, bytesField(7, varintField(1, 1)));
    this.flush();
  }

  #add(step: number, content: Uint8Array): void {
    const head = Uint8Array.from([...doubleField(1, this.now() / 1000), ...varintField(2, step)]);
    this.#waiting.push(record(Buffer.concat([head, content])));
  }

  /** Adds values of a step; `flush` writes them. */
  add(step: number, values: readonly SummaryValue[]): void {
    this.#add(step, bytesField(5, Buffer.concat(values.map((value) => bytesField(1, valueMessage(value))))));
  }

  /** Appends all that waits, in one piece. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const data = Buffer.concat(this.#waiting);
    this.#waiting = [];
    try {
      appendFileSync(this.path, data);
    } catch (cause) {
      throw new Error(`cannot write ${this.path}: ${(cause as Error).message}`, { cause });
    }
  }
}
