import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../server/config/config.ts';
import { HTTPS } from '../settings.ts';

describe('where it listens', () => {
  const local = 'http://localhost:3000';
  const both = ['127.0.0.1:3000', '::1:3000?'];
  const cases: [string, string | undefined, string[]][] = [
    // A browser tries both for http://localhost:3000, so no other user's program may have either.
    [local, undefined, both],
    [local, '3000', both],
    [local, '127.0.0.1:3000', both],
    [local, 'localhost:3000', both],
    [local, 'LOCALHOST:3000', both],
    [local, '[::1]:3000', ['127.0.0.1:3000', '::1:3000']],
    [local, '0.0.0.0:3000', ['0.0.0.0:3000', '::1:3000?']],
    [local, '192.0.2.1:3000', ['192.0.2.1:3000', ...both]],
    // Both, in one socket.
    [local, '[::]:3000', [':::3000']],
    // Another program has the issuer's port.
    [local, '127.0.0.1:4000', ['127.0.0.1:4000']],
    [local, '4000', ['127.0.0.1:4000']],
    [HTTPS.VOUCH_ISSUER, undefined, ['127.0.0.1:8080']],
    [HTTPS.VOUCH_ISSUER, '[::1]:8080', ['::1:8080']],
    [HTTPS.VOUCH_ISSUER, 'localhost:8080', ['127.0.0.1:8080', '::1:8080?']],
  ];
  test.each(cases)('with %s and VOUCH_LISTEN %s', (issuer, listen, expected) => {
    const settings = { ...HTTPS, VOUCH_ISSUER: issuer, ...(listen === undefined ? {} : { VOUCH_LISTEN: listen }) };
    const addresses = readConfig(settings).listen;
    expect(addresses.map(({ host, port, optional }) => `${host}:${port}${optional ? '?' : ''}`)).toEqual(expected);
  });
});

describe('a wrong setting is named, with what it should look like', () => {
  const wrong: [string, Record<string, string>, RegExp][] = [
    ['VOUCH_LISTEN text', { ...HTTPS, VOUCH_LISTEN: 'everywhere' }, /^VOUCH_LISTEN .*127.0.0.1:8080/],
    ['VOUCH_LISTEN port', { ...HTTPS, VOUCH_LISTEN: '65536' }, /^VOUCH_LISTEN/],
    ['VOUCH_LISTEN empty', { ...HTTPS, VOUCH_LISTEN: '' }, /^VOUCH_LISTEN/],
  ];
  for (const [name, settings, message] of wrong) {
    test(name, () => {
      expect(() => readConfig(settings)).toThrow(message);
    });
  }
});
