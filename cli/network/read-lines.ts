/**
 * The lines of a stream, without their ends. What follows the last end of a line is no line.
 *
 * @param longest the longest line, in bytes
 * @throws Error as soon as a line turns out to be longer; what the stream throws when it is cut off
 */
export async function* readLines(longest: number, stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest: Uint8Array = Buffer.alloc(0);
  for await (const chunk of stream) {
    let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = data.indexOf(lineEnd); end >= 0; end = data.indexOf(lineEnd)) {
      if (end > longest) break;
      yield Buffer.from(data.subarray(0, end)).toString('utf8');
      data = data.subarray(end + 1);
    }
    if (data.length > longest) throw new Error(`A line has more than ${longest} bytes.`);
    rest = data;
  }
}

const lineEnd = '\n'.charCodeAt(0);
