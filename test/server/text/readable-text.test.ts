import { describe, expect, test } from 'vitest';
import { machineName } from '../../../cli/login/machine-name.ts';
import { isReadable } from '../../../server/text/readable-text.ts';

const readable = ['alices-laptop', "Alice's Laptop", 'Büro', 'Bu\u0308ro', '東京', 'शिक्षक', 'Key #2 (blue)', '🔑', 'e'];

const unreadable: [string, string][] = [
  ['nothing', ''],
  ['spaces', '   '],
  ['a no-break space', 'a\u00a0b'],
  ['an ideographic space', '\u3000'],
  ['a line separator', 'a\u2028b'],
  ['a tab', 'a\tb'],
  ['NUL', 'a\u0000'],
  ['an escape sequence', '\u001b[2J'],
  ['C1', '\u009b2J'],
  ['a zero-width space', 'lap\u200btop'],
  ['a zero-width joiner', 'a\u200db'],
  ['a soft hyphen', 'a\u00adb'],
  ['a byte order mark', '\ufeffa'],
  ['a right-to-left override', 'a\u202eb'],
  ['an isolate', 'a\u2066b'],
  ['a left-to-right mark', '\u200e'],
  ['an Arabic letter mark', 'a\u061c'],
  ['the Hangul fillers', '\u115f\u1160\u3164\uffa0'],
  ['a Hangul filler behind a name', 'laptop\u3164'],
  ['a grapheme joiner', 'a\u034f'],
  ['Khmer vowels that are not drawn', '\u17b4\u17b5'],
  ['a Mongolian separator', '\u180ea'],
  ['a variation selector', 'a\ufe0f'],
  ['a variation selector of another plane', 'a\u{e0100}'],
  ['tags', 'a\u{e0041}'],
  ['a Braille blank', '\u2800'],
  ['accents on nothing', '\u0301'],
  ['accents on a space', 'a \u0301'],
  ['a pile of accents', 'a\u0300\u0301\u0302\u0303'],
  ['half a surrogate pair', '\ud83d'],
  ['an unassigned character', '\u{10ffff}'],
  ['a private-use character', '\ue000'],
];

describe('a text is readable', () => {
  test.each(readable)('%s', (text) => expect(isReadable(text)).toBe(true));
});

describe('a text is not readable', () => {
  test.each(unreadable)('of %s', (_name, text) => expect(isReadable(text)).toBe(false));
});

test('whatever this machine is called, the server accepts the name that is sent', () => {
  for (const name of [...readable, ...unreadable.map(([, text]) => text), '🔑'.repeat(40), 'x'.repeat(300)]) {
    const sent = machineName(name);
    expect([name, isReadable(sent), sent.length <= 64]).toEqual([name, true, true]);
  }
  expect(machineName('alices-laptop')).toBe('alices-laptop');
  expect(machineName('Bu\u0308ro \u3164')).toBe('Büro');
  expect(machineName('\u3164')).toBe('a machine without a name');
});
