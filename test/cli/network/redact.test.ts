import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redact } from '../../../cli/network/redact.ts';

const token = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl_of-the~token+/==';

test.each([
  ['as it is', `You sent ${token}!`, 'You sent [hidden]!'],
  ['more than once', `${token},${token}`, '[hidden],[hidden]'],
  ['among other characters', `token=${token}&x`, 'token=[hidden]&x'],
  ['in part', `It began with ${token.slice(0, 20)} and`, 'It began with [hidden] and'],
  ['in part, within more', `It was xx${token.slice(7, 40)}yy.`, 'It was [hidden]'],
])('hides a secret that is quoted %s', (_, text, expected) => {
  expect(redact(text, ['other-secret', token])).toBe(expected);
});

test('leaves the rest as it is', () => {
  const text = 'User: arn:aws:sts::123456789012:assumed-role/Vouch/alice@example.com is not authorized (eyJhbGciOiJF)';
  expect(redact(text, [token, ''])).toBe(text);
});

test('leaves no 32 characters of a secret in a row, whatever is around them', () => {
  const secret = fc.stringMatching(/^[\w+/=-]{32,200}$/);
  fc.assert(
    fc.property(secret, fc.string(), fc.string(), fc.nat(), fc.nat(), (value, before, after, from, length) => {
      const start = from % (value.length - 31);
      const quoted = value.slice(start, start + 32 + (length % 100));
      expect(redact(`${before}${quoted}${after}`, [value])).not.toContain(quoted);
    }),
  );
});
