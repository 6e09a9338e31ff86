import { expect, test } from 'vitest';
import { randomWords, wordsOf } from '../../../server/text/words.ts';

const bytes = Array.from({ length: 256 }, (_, byte) => byte);

test('every byte has its own word in each place, so that equal words mean equal bytes', () => {
  for (const place of [0, 1, 2]) {
    const words = bytes.map(
      (byte) => wordsOf(Uint8Array.from([0, 0, 0].fill(byte, place, place + 1))).split(' ')[place],
    );
    expect(new Set(words).size).toBe(256);
    for (const word of words) expect(word).toMatch(/^[a-z]{3,10}$/);
  }
});

test('random words differ', () => {
  expect(new Set(Array.from({ length: 20 }, randomWords)).size).toBe(20);
});
