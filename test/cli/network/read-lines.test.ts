import { expect, test } from 'vitest';
import { readLines } from '../../../cli/network/read-lines.ts';

async function linesOf(chunks: readonly string[], longest = 10): Promise<string[]> {
  const lines: string[] = [];
  async function* stream() {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1');
  }
  for await (const line of readLines(longest, stream())) lines.push(line);
  return lines;
}

test.each<[string, string[], string[]]>([
  ['whole lines', ['a\nbc\n'], ['a', 'bc']],
  ['lines in parts, and an empty one', ['a', 'b\n', '\nc', '\n'], ['ab', '', 'c']],
  ['a last line that was cut off', ['a\nb'], ['a']],
  ['a character in two parts', [Buffer.from('é').toString('latin1')[0] ?? '', '\xa9\n'], ['é']],
  ['the longest line', ['1234567890\n1234567890\n'], ['1234567890', '1234567890']],
  ['the longest line in parts', ['1234567890', '\n'], ['1234567890']],
  ['nothing', [], []],
])('reads %s', async (_, chunks, lines) => {
  expect(await linesOf(chunks)).toEqual(lines);
});

test.each([
  ['at once', ['12345678901\n']],
  ['in parts', ['1\n123456', '78901']],
  ['after others', ['1\n12345678901\n']],
])('refuses a line that is too long, %s', async (_, chunks) => {
  await expect(linesOf(chunks)).rejects.toThrow('A line has more than 10 bytes.');
});
