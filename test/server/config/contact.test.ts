import { expect, test } from 'vitest';
import { readContact } from '../../../server/config/contact.ts';

test.each([
  ['it-help@example.com', 'mailto:it-help@example.com'],
  [' it-help@Example.com ', 'mailto:it-help@Example.com'],
  ['a+b&c?d@example.com', 'mailto:a%2Bb%26c%3Fd@example.com'],
  ['https://help.example.com/vouch?from=page', 'https://help.example.com/vouch?from=page'],
  ['HTTPS://help.example.com', 'https://help.example.com/'],
])('%j can be followed', (value, link) => {
  expect(readContact(value)).toEqual({ text: value.trim(), link });
});

test.each(['#it-help on Slack', 'Slack: #it-help', 'Ada, room 4.12', '@ada on chat', 'x'.repeat(100), '<script>'])(
  '%j is only text',
  (value) => {
    expect(readContact(value)).toEqual({ text: value, link: undefined });
  },
);

test.each([
  '',
  '   ',
  'two\nlines',
  'reordered \u202egnihton',
  'x'.repeat(101),
  // Something like an address or a URL must be one.
  'it-help@example',
  'it-help@-example.com',
  'it@help@example.com',
  'it"help@example.com',
  'http://help.example.com',
  'javascript:alert(1)',
  'JavaScript:alert(1)',
  'data:text/html,x',
  'mailto:it-help@example.com',
  'https://user:secret@help.example.com',
  'https://ada@help.example.com',
  'https://',
  'https://help',
  'https://192.0.2.1:x/',
  'https://help.example.com/a b',
])('%j is refused, with what it should be', (value) => {
  expect(() => readContact(value)).toThrow(/^VOUCH_CONTACT is .*an e-mail address, an https URL, or a short text/);
});

test('without the setting there is no contact', () => {
  expect(readContact(undefined)).toBeUndefined();
});
