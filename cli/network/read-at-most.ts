/**
 * Reads a stream to its end, but at most this much: no sender may fill our memory.
 *
 * @param longest the most that is read, in bytes
 * @returns undefined as soon as the stream turns out to be longer
 * @throws what the stream throws when it is cut off
 */
export async function readAtMost(
  longest: number,
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > longest) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
