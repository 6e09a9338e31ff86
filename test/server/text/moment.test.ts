import { expect, test } from 'vitest';
import { readMoment } from '../../../server/text/moment.ts';

const NOW = Date.UTC(2026, 10, 26, 12);
const local = (...parts: [number, number, number, number?, number?, number?]) => new Date(...parts).getTime();

test.each([
  ['90m', NOW - 90 * 60_000],
  ['24h', NOW - 24 * 3600_000],
  ['7d', NOW - 7 * 24 * 3600_000],
  ['2w', NOW - 14 * 24 * 3600_000],
  ['0m', NOW],
  ['2026-11-26', local(2026, 10, 26)],
  ['2026-11-26 10:42', local(2026, 10, 26, 10, 42)],
  ['2026-11-26T10:42:07', local(2026, 10, 26, 10, 42, 7)],
  ['2026-11-26T10:42Z', Date.UTC(2026, 10, 26, 10, 42)],
  ['2026-11-26T10:42:07.5Z', Date.UTC(2026, 10, 26, 10, 42, 7, 500)],
  ['2026-11-26 10:42+02:00', Date.UTC(2026, 10, 26, 8, 42)],
  ['2024-02-29', local(2024, 1, 29)],
])('%s is a moment', (text, expected) => {
  expect(readMoment(text, NOW)).toBe(expected);
});

test.each([
  '',
  'yesterday',
  '7',
  '7y',
  '-7d',
  '999999d',
  '2026-02-30',
  '2026-13-01',
  '2026-11-26T25:00',
  '2026-11-26Z',
  '26.11.2026',
  ' 7d',
  '7d\n',
])('%j is none', (text) => {
  expect(readMoment(text, NOW)).toBeUndefined();
});
