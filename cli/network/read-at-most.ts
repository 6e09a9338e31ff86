/**
 * Reads what somebody sends to its end.
 *
 * @param longest the most that is taken, in bytes: nobody is to fill our memory
 * @returns undefined when it is longer, and nothing more is read
 * @throws as the stream does when it is cut off
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
