import fc from 'fast-check';

/** Bytes with a meaning to some parser: ends of lines, of strings and of values, and bytes that are not text. */
const significant = [
  '\0',
  '\n',
  '\r',
  '\r\n',
  '\n\n',
  '\r\n\r\n',
  '=',
  ':',
  ' ',
  '\t',
  '%00',
  '%0a',
  '%',
  '/',
  '..',
  '\xff',
  '\x80',
].map((text) => Buffer.from(text, 'latin1'));

/** One small change of some bytes; `at` is a share of their length. */
const change = fc.record({
  kind: fc.constantFrom('replace', 'insert', 'delete', 'repeat', 'cut', 'swap-case', 'significant'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 1, max: 40 }),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  which: fc.nat({ max: significant.length - 1 }),
});

/** Nearly valid requests: one of those given, with up to five changes. */
export function mutated(requests: readonly string[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...requests), fc.array(change, { maxLength: 5 }))
    .map(([request, changes]) => changes.reduce<Buffer>(applied, Buffer.from(request, 'latin1')));
}

function applied(
  bytes: Buffer,
  { kind, at, length, bytes: some, which }: typeof change extends fc.Arbitrary<infer T> ? T : never,
): Buffer {
  const start = Math.floor(at * bytes.length);
  const [before, piece, after] = [
    bytes.subarray(0, start),
    bytes.subarray(start, start + length),
    bytes.subarray(start + length),
  ];
  switch (kind) {
    case 'replace':
      return Buffer.concat([before, some, bytes.subarray(start + some.length)]);
    case 'insert':
      return Buffer.concat([before, some, piece, after]);
    case 'delete':
      return Buffer.concat([before, after]);
    case 'repeat':
      return Buffer.concat([before, ...Array.from({ length: 1 + ((some[0] ?? 0) % 20) }, () => piece), after]);
    case 'cut':
      return before;
    case 'swap-case':
      return Buffer.concat([before, Buffer.from(piece.map((byte) => (byte >= 0x41 ? byte ^ 0x20 : byte))), after]);
    default:
      return Buffer.concat([before, significant[which] as Buffer, piece, after]);
  }
}
