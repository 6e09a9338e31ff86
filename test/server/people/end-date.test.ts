import { afterEach, expect, test, vi } from 'vitest';
import { endInWords, readEndDate } from '../../../server/people/end-date.ts';

afterEach(() => vi.unstubAllEnvs());

test('an end date is over when its day is, where the server is', () => {
  for (const [zone, over] of [
    ['UTC', '2027-01-01T00:00:00Z'],
    ['America/New_York', '2027-01-01T05:00:00Z'],
    ['Asia/Kolkata', '2026-12-31T18:30:00Z'],
  ] as const) {
    vi.stubEnv('TZ', zone);
    expect([zone, new Date(readEndDate(' 2026-12-31 ')).toISOString()]).toEqual([zone, new Date(over).toISOString()]);
  }
  vi.stubEnv('TZ', 'Europe/Berlin');
  // The day on which summer time begins has 23 hours.
  expect(readEndDate('2026-03-29') - readEndDate('2026-03-28')).toBe(23 * 3600_000);
  expect(readEndDate('2028-02-29') - readEndDate('2028-02-28')).toBe(24 * 3600_000);
});

test('anything that is not a day is refused', () => {
  const wrong = [
    '2026-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-04-31',
    '31.12.2026',
    '2026-12-31T00:00:00Z',
    'tomorrow',
    '',
  ];
  for (const text of wrong) {
    expect(() => readEndDate(text), text).toThrow(expect.objectContaining({ kind: 'option-refused' }));
  }
  expect(() => readEndDate('9'.repeat(5_000))).toThrow(/^The end date "9{100}" is not a day/);
});

test('an end date is shown as the last day, or to the minute unless it is midnight here', () => {
  vi.stubEnv('TZ', 'Asia/Kolkata');
  expect(endInWords(readEndDate('2026-12-31'))).toBe('until the end of Thursday, 31 December 2026');
  expect(endInWords(Date.parse('2026-12-31T12:00:00Z'))).toBe('until Thursday, 31 December 2026 at 17:30');
});
