import { expect, test } from 'vitest';
import { replacesText } from '../../../cli/enrolment/replacement.ts';

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
