import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../server/config/config.ts';
import { HTTPS } from '../settings.ts';

describe('a wrong setting is named, with what it should look like', () => {
  const wrong: [string, Record<string, string>, RegExp][] = [
    [
      'VOUCH_ISSUER missing',
      {},
      /^VOUCH_ISSUER is not set; it should be .*https:\/\/vouch\.example\.com.*\n.*set -a; \. \/etc\/vouch\/vouch\.env/,
    ],
    ['VOUCH_ISSUER empty', { VOUCH_ISSUER: '' }, /^VOUCH_ISSUER is ""; it should be/],
    ['VOUCH_ISSUER no URL', { VOUCH_ISSUER: 'vouch.example.com' }, /^VOUCH_ISSUER is "vouch/],
    ['VOUCH_ISSUER http', { VOUCH_ISSUER: 'http://vouch.example.com' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER http://127.0.0.1', { VOUCH_ISSUER: 'http://127.0.0.1:3000' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER localhost.evil', { VOUCH_ISSUER: 'http://localhost.evil.example' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER ftp', { VOUCH_ISSUER: 'ftp://vouch.example.com' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER with path', { VOUCH_ISSUER: 'https://vouch.example.com/a' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER with query', { VOUCH_ISSUER: 'https://vouch.example.com/?a' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER with fragment', { VOUCH_ISSUER: 'https://vouch.example.com/#a' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER with user', { VOUCH_ISSUER: 'https://a:b@vouch.example.com' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER IP address', { VOUCH_ISSUER: 'https://10.0.0.1' }, /security keys do not sign for IP addresses/],
    ['VOUCH_ISSUER IPv6 address', { VOUCH_ISSUER: 'https://[::1]' }, /security keys do not sign for IP addresses/],
    ...[
      'https://com',
      'https://vouch',
      'https://vouch.example.com.',
      'https://a_b.example.com',
      'https://a..example.com',
    ].map((value): [string, Record<string, string>, RegExp] => [
      `VOUCH_ISSUER ${value}`,
      { ...HTTPS, VOUCH_ISSUER: value },
      /^VOUCH_ISSUER .* two labels or more/,
    ]),
    ['VOUCH_ISSUER with a label too long', { VOUCH_ISSUER: `https://${'a'.repeat(64)}.com` }, /two labels or more/],
  ];
  for (const [name, settings, message] of wrong) {
    test(name, () => {
      expect(() => readConfig(settings)).toThrow(message);
    });
  }
});
