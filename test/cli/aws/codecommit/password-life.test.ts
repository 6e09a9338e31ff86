import { expect, test } from 'vitest';
import { passwordEnd } from '../../../../cli/aws/codecommit/password-life.ts';

const minute = 60_000;

test('a password ends 15 minutes after its signing, or with the credentials that signed it', () => {
  expect(passwordEnd(0, 60 * minute)).toBe(15 * minute);
  expect(passwordEnd(50 * minute, 60 * minute)).toBe(60 * minute);
});
