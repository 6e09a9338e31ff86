/** The types of values in a header of an RPM package that we write. */
const TYPES = { int16: 3, int32: 4, string: 6, bytes: 7, strings: 8, translated: 9 } as const;

/** A value of a header: a tag's number, its type, and what it says. */
export type Tag =
  | [tag: number, type: 'int16' | 'int32', values: readonly number[]]
  | [tag: number, type: 'string', value: string]
  | [tag: number, type: 'strings' | 'translated', values: readonly string[]]
  | [tag: number, type: 'bytes', value: Buffer];

/**
 * A header of an RPM package: an index of tags, and their values (https://rpm.org/docs/4.20.x/manual/format_header.html). `region`
 * covers all of it, so that signatures do.
 *
 * @param region 62 for the signature's header, 63 for the main one
 */
export function rpmHeader(region: 62 | 63, tags: readonly Tag[]): Buffer {
  const index: Buffer[] = [];
  const store: Buffer[] = [];
  let length = 0;
  const put = (tag: number, type: number, value: Buffer, count: number, align = 1) => {
    const gap = (align - (length % align)) % align;
    store.push(Buffer.alloc(gap), value);
    index.push(int32s(tag, type, length + gap, count));
    length += gap + value.length;
  };
  for (const [tag, type, value] of tags.toSorted(([a], [b]) => a - b)) {
    if (type === 'int32') put(tag, TYPES[type], int32s(...value), value.length, 4);
    else if (type === 'int16') put(tag, TYPES[type], int16s(value), value.length, 2);
    else if (type === 'bytes') put(tag, TYPES[type], value, value.length);
    else if (type === 'string') put(tag, TYPES[type], Buffer.from(`${value}\0`), 1);
    else put(tag, TYPES[type], Buffer.from(value.map((one) => `${one}\0`).join('')), value.length);
  }
  // The region's entry comes first in the index. What it points at is the last in the store, and leads back over the whole index.
  const entries = index.length + 1;
  index.unshift(int32s(region, TYPES.bytes, length, 16));
  store.push(int32s(region, TYPES.bytes, -entries * 16, 16));
  const magic = Buffer.from('8eade80100000000', 'hex');
  return Buffer.concat([magic, int32s(entries, length + 16), ...index, ...store]);
}

function int32s(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) buffer.writeUInt32BE(value >>> 0, at * 4);
  return buffer;
}

function int16s(values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 2);
  for (const [at, value] of values.entries()) buffer.writeUInt16BE(value, at * 2);
  return buffer;
}
