import { expect, test } from 'vitest';
import { readRetryAfter } from '../../../cli/network/outage.ts';

const now = Date.parse('2026-03-01T12:00:00Z');

test.each([
  ['0', 0],
  ['3', 3000],
  [' 120 ', 120_000],
  ['Sun, 01 Mar 2026 12:00:30 GMT', 30_000],
  ['Sun, 01 Mar 2026 11:59:30 GMT', 0],
  ['-5', 0],
  ['soon', 0],
  ['', 0],
  [undefined, 0],
  [null, 0],
])('Retry-After: %s is %i ms', (header, wait) => {
  expect(readRetryAfter(header, now)).toBe(wait);
});
