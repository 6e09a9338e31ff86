import { expect, test } from 'vitest';
import { Expiry } from '../../../../cli/agent/session/expiry.ts';

const time = { now: 0, uptime: 0 };
const clocks = { now: () => time.now, uptime: () => time.uptime };

/** An hour is left, by two clocks that otherwise differ. */
function anHour(): Expiry {
  time.now = 1_700_000_000_000;
  time.uptime = 5_000;
  return new Expiry(time.now + 3_600_000, clocks);
}

test('both clocks count down to the end', () => {
  const expiry = anHour();
  expect(expiry.left).toBe(3_600_000);
  time.now += 3_599_999;
  time.uptime += 3_599_999;
  expect(expiry.left).toBe(1);
  expect(expiry.over).toBe(false);
  time.now += 1;
  time.uptime += 1;
  expect(expiry.left).toBe(0);
  expect(expiry.over).toBe(true);
});

test('a machine that slept has lost that time, though its uptime stood still', () => {
  const expiry = anHour();
  time.now += 3_500_000;
  expect(expiry.left).toBe(100_000);
  time.now += 100_000;
  expect(expiry.over).toBe(true);
});

test('a wall clock that is set back prolongs nothing', () => {
  const expiry = anHour();
  time.now -= 86_400_000;
  time.uptime += 3_000_000;
  expect(expiry.left).toBe(600_000);
  time.uptime += 600_000;
  expect(expiry.over).toBe(true);
});
