import { expect, test } from 'vitest';
import { lastDay, shortDay, shortTime } from '../../../server/text/time.ts';

const now = new Date(2026, 10, 12, 10, 42).getTime();
const at = (...parts: [number, number, number, number?, number?]) => new Date(...parts).getTime();

test('times and days say no more than is needed', () => {
  expect(shortTime(at(2026, 10, 12, 0, 5), now)).toBe('00:05');
  expect(shortTime(at(2026, 10, 3, 17, 42), now)).toBe('3 Nov 17:42');
  expect(shortTime(at(2025, 10, 12, 10, 42), now)).toBe('12 Nov 2025 10:42');
  expect(shortDay(at(2026, 10, 12, 23, 59), now)).toBe('today');
  expect(shortDay(at(2026, 10, 3, 17), now)).toBe('3 Nov');
  expect(shortDay(at(2027, 0, 1), now)).toBe('1 Jan 2027');
});

test('the last day is the one before an end date at midnight, or has its time', () => {
  expect(lastDay(at(2027, 0, 1))).toBe('31 Dec 2026');
  expect(lastDay(at(2026, 11, 31, 18))).toBe('31 Dec 2026 18:00');
});
