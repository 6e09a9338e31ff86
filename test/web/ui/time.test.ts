import { expect, test } from 'vitest';
import { ago, dayOf, timeOfDay } from '../../../web/ui/time.ts';

test('when it was asked, for a person', () => {
  const now = new Date('2025-03-04T12:00:00');
  const before = (seconds: number) => new Date(now.getTime() - seconds * 1000);
  expect(ago(before(-30), now)).toBe('just now');
  expect(ago(before(59), now)).toBe('just now');
  expect(ago(before(60), now)).toBe('1 minute ago');
  expect(ago(before(3 * 3600), now)).toBe('3 hours ago');
  expect(ago(before(26 * 3600), now)).toBe('yesterday');
  expect(timeOfDay(before(60), now)).toBe('at 11:59');
  expect(timeOfDay(before(26 * 3600), now)).toBe('3 March at 10:00');
});

test('on which day it was', () => {
  const now = new Date('2025-03-04T12:00:00');
  const days = ['2025-03-04T00:00:00', '2025-03-03T23:59:59', '2025-03-02T12:00:00', '2024-12-31T12:00:00'];
  expect(days.map((day) => dayOf(new Date(day), now))).toEqual([
    'today',
    'yesterday',
    'on 2 March',
    'on 31 December 2024',
  ]);
});
