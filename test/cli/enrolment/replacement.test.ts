import { expect, test } from 'vitest';
import { outstandingText, replacesText } from '../../../cli/enrolment/replacement.ts';

test('a terminal names the keys that stop working', () => {
  const [one, two, three] = ['One', 'Two', 'Three'].map((name) => ({
    name,
    model: name === 'Two' ? 'YubiKey 5 NFC' : null,
  }));
  if (!one || !two || !three) throw new Error('there are three');
  expect(replacesText([one])).toBe('This replaces your key: "One" stops working, and your sessions end.');
  expect(replacesText([one, two])).toBe(
    'This replaces all your keys: "One" and "Two" (YubiKey 5 NFC) stop working, and your sessions end.',
  );
  expect(replacesText([one, two, three])).toMatch(/: "One", "Two" \(YubiKey 5 NFC\) and "Three" stop working/);
  expect(replacesText([])).toBeUndefined();
});

test('and until when AWS honours what they got', () => {
  const until = new Date(2026, 10, 24, 11, 42);
  expect(outstandingText(until, new Date(2026, 10, 24, 10, 0))).toContain(' last until 11:42 at the latest.');
  expect(outstandingText(until, new Date(2026, 10, 23, 23, 0))).toContain(
    ' last until Tue 24 Nov 11:42 at the latest.',
  );
});
