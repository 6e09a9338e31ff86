import { expect, test } from 'vitest';
import { readKeyName } from '../../../cli/account/names.ts';
import { sayOutstanding } from '../../../cli/account/outstanding-words.ts';

test('what AWS still honours is said in full minutes that are not too early', () => {
  const now = new Date(2026, 2, 3, 10, 41, 1);
  expect(sayOutstanding(null, now)).toBe(undefined);
  expect(sayOutstanding(new Date(2026, 2, 3, 11, 41, 0, 1).toISOString(), now)).toBe(
    'AWS credentials issued before 10:42 last until 11:42 at the latest.',
  );
  expect(sayOutstanding(new Date(2026, 2, 4, 0, 0, 0).toISOString(), now)).toBe(
    'AWS credentials issued before 10:42 last until Wed 4 Mar 00:00 at the latest.',
  );
});

test.each([
  ['Work key', 'Work key'],
  ['  Größe 5 ', 'Größe 5'],
  ['x'.repeat(40), 'x'.repeat(40)],
])('%j can be the name of a key', (typed, name) => {
  expect(readKeyName(typed)).toBe(name);
});

test.each(['', ' ', 'x'.repeat(41), 'a\nb', 'a\u202eb', 'a\u001b[0m'])('%j cannot', (typed) => {
  expect(() => readKeyName(typed)).toThrow(
    expect.objectContaining({ kind: 'key-name', exitCode: 2, what: expect.not.stringMatching(/\p{C}/u) }),
  );
});
