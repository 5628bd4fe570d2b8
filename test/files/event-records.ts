/** Event of TensorBoard as a reader sees it. */
export interface ReadEvent {
  readonly wallTime: number;
  readonly step: number;
  readonly fileVersion?: string;
  readonly started?: boolean;
  readonly values: readonly ReadValue[];
}

export interface ReadValue {
  readonly tag: string;
  readonly scalar?: number;
  readonly text?: string;
  readonly image?: { readonly height: number; readonly width: number; readonly png: Buffer };
  readonly plugin?: string;
}

/**
 * CRC-32C bit by bit, as polynomial division: the bytes' bits, lowest first, with 32 zeros behind, divided by
 * 0x11edc6f41.
 */
export function slowCrc32c(bytes: Uint8Array): number {
  let remainder = 0xffffffffn;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      // Bits are mirrored: the register's highest bit is met by the byte's lowest.
      const out = (remainder >> 31n) ^ BigInt((byte >> bit) & 1);
      remainder = (remainder << 1n) & 0xffffffffn;
      if (out === 1n) remainder ^= 0x1edc6f41n;
    }
  }
  let mirrored = 0n;
  for (let bit = 0n; bit < 32n; bit++) mirrored = (mirrored << 1n) | ((remainder >> bit) & 1n);
  return Number(mirrored ^ 0xffffffffn);
}

const unmasked = (masked: number) => {
  const turned = (masked - 0xa282ead8) >>> 0;
  return ((turned >>> 17) | (turned << 15)) >>> 0;
};

/** Fields of a protocol buffer, in order: varints as bigint, others as bytes. */
function fieldsOf(message: Buffer): [field: number, value: bigint | Buffer][] {
  const fields: [number, bigint | Buffer][] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const wire = Number(key & 7n);
    if (wire === 0) fields.push([Number(key >> 3n), varint()]);
    else {
      const length = wire === 1 ? 8 : wire === 5 ? 4 : wire === 2 ? Number(varint()) : Number.NaN;
      if (!(at + length <= message.length))
        throw new Error(`wire type ${wire} at ${at} of ${message.length}`);
      fields.push([Number(key >> 3n), message.subarray(at, at + length)]);
      at += length;
    }
  }
  return fields;
}

const one = (message: Buffer, wanted: number) => fieldsOf(message).find(([field]) => field === wanted)?.[1];

function readValue(message: Buffer): ReadValue {
  const [tag, scalar, image, tensor, metadata] = [1, 2, 4, 8, 9].map(
    (field) => one(message, field) as Buffer,
  );
  const plugin = metadata && (one(one(metadata, 1) as Buffer, 1) as Buffer);
  return {
    tag: String(tag),
    ...(scalar && { scalar: scalar.readFloatLE() }),
    ...(tensor && { text: String(one(tensor, 8)) }),
    ...(image && {
      image: {
        height: Number(one(image, 1)),
        width: Number(one(image, 2)),
        png: one(image, 4) as Buffer,
      },
    }),
    ...(plugin && { plugin: String(plugin) }),
  };
}

/** Events of a file, each of whose CRCs is checked; Error for a record that is cut short or damaged. */
export function readEventFile(data: Buffer): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (let at = 0; at < data.length; ) {
    const length = Number(data.readBigUInt64LE(at));
    const body = data.subarray(at + 12, at + 12 + length);
    if (unmasked(data.readUInt32LE(at + 8)) !== slowCrc32c(data.subarray(at, at + 8)))
      throw new Error("length");
    if (unmasked(data.readUInt32LE(at + 12 + length)) !== slowCrc32c(body)) throw new Error("data");
    at += 16 + length;
    const [time, step, version, summary, session] = [1, 2, 3, 5, 7].map((field) => one(body, field));
    events.push({
      wallTime: (time as Buffer).readDoubleLE(),
      step: Number(step ?? 0),
      ...(version === undefined ? {} : { fileVersion: String(version) }),
      ...(session === undefined ? {} : { started: one(session as Buffer, 1) === 1n }),
      values:
        summary === undefined
          ? []
          : fieldsOf(summary as Buffer).map(([, value]) => readValue(value as Buffer)),
    });
  }
  return events;
}
