import { expect, test } from 'vitest';
import { clockFindings } from '../../../cli/doctor/clock-finding.ts';

const now = Date.parse('2026-11-30T09:00:00Z');
const found = (seconds: number) =>
  clockFindings('sts.clock-skew', "AWS's", new Date(now + seconds * 1000).toUTCString(), now);

test.each([
  [0, undefined],
  [119, undefined],
  [-119, undefined],
  [120, 'warning'],
  [-120, 'warning'],
  [299, 'warning'],
  [-299, 'warning'],
  [300, 'trouble'],
  [-300, 'trouble'],
  [3600, 'trouble'],
])('a clock that is %i seconds off', (seconds, severity) => {
  expect(found(seconds)[0]?.severity).toBe(severity);
});

test('says whose it is, and that a warning fails nothing yet', () => {
  expect(found(180)).toEqual([
    expect.objectContaining({
      what: "The clock of this machine is 3 minutes behind AWS's.",
      why: ['It still works; from 5 minutes on, what this machine signs is refused.'],
    }),
  ]);
  expect(clockFindings('x', "AWS's", undefined, now)).toEqual([]);
});
