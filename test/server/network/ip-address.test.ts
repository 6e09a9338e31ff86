import { describe, expect, test } from 'vitest';
import {
  inRanges,
  isLoopback,
  isPrivate,
  readAddress,
  readForwarded,
  readRange,
} from '../../../server/network/ip-address.ts';

describe('an address has one form', () => {
  const forms: [string, string | undefined][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:0201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:c000:201', '192.0.2.1'],
    ['::ffff:0.0.0.0', '0.0.0.0'],
    ['::ffff:255.255.255.255', '255.255.255.255'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::1', '::1'],
    ['::', '::'],
    ['::1.2.3.4', '::102:304'],
    ['fe80::1%eth0', undefined],
    ['192.0.2.01', undefined],
    ['192.0.2.1/32', undefined],
    ['192.0.2.256', undefined],
    ['192.0.2', undefined],
    ['3221225985', undefined],
    ['0xc0000201', undefined],
    ['[::1]', undefined],
    ['192.0.2.1:80', undefined],
    ['localhost', undefined],
    [' ::1', undefined],
    ['', undefined],
  ];
  test.each(forms)('%s', (text, expected) => expect(readAddress(text)).toBe(expected));
});

describe('a proxy may write an address with a port', () => {
  const forms: [string, string | undefined][] = [
    ['192.0.2.1', '192.0.2.1'],
    [' 192.0.2.1 ', '192.0.2.1'],
    ['192.0.2.1:5678', '192.0.2.1'],
    ['[2001:db8::1]:123', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['[::ffff:192.0.2.1]:1', '192.0.2.1'],
    ['192.0.2.1:', undefined],
    ['192.0.2.1:123456', undefined],
    ['192.0.2.1:80:80', undefined],
    ['[192.0.2.1]:80', '192.0.2.1'],
    ['[2001:db8::1', undefined],
    ['[[::1]]', undefined],
    ['"192.0.2.1"', undefined],
    ['for=192.0.2.1', undefined],
    ['unknown', undefined],
    ['_hidden', undefined],
    ['', undefined],
    ['\u0661.2.3.4', undefined],
  ];
  test.each(forms)('%s', (text, expected) => expect(readForwarded(text)).toBe(expected));
});

describe('a range', () => {
  const ranges: [string, boolean][] = [
    ['127.0.0.1', true],
    ['10.0.0.0/8', true],
    ['10.1.2.3/32', true],
    ['fc00::/7', true],
    ['2001:db8::/32', true],
    ['::ffff:10.0.0.1', true],
    ['0.0.0.0/0', false],
    ['::/0', false],
    ['10.0.0.0/7', false],
    ['fc00::/6', false],
    ['10.0.0.0/33', false],
    ['::1/129', false],
    ['::ffff:10.0.0.0/104', false],
    ['10.0.0.0/', false],
    ['/8', false],
    ['10.0.0.0/8/8', false],
    ['10.0.0.0/-1', false],
    ['10.0.0.*', false],
    ['loopback', false],
    ['', false],
  ];
  test.each(ranges)('%s: %s', (text, good) => expect(readRange(text) !== undefined).toBe(good));

  test('holds its own addresses and no others', () => {
    const within = inRanges(['192.0.2.7', '10.1.0.0/16', '2001:db8:1::/48']);
    for (const address of ['192.0.2.7', '10.1.0.0', '10.1.255.255', '2001:db8:1::', '2001:db8:1:ffff::1']) {
      expect([address, within(address)]).toEqual([address, true]);
    }
    for (const address of [
      '192.0.2.6',
      '10.0.255.255',
      '10.2.0.0',
      '2001:db8::1',
      '2001:db8:2::',
      '::1',
      '127.0.0.1',
    ]) {
      expect([address, within(address)]).toEqual([address, false]);
    }
    expect(inRanges([])('127.0.0.1')).toBe(false);
    // An IPv6 range that contains the mapped addresses does not contain IPv4 addresses.
    for (const range of ['::/64', '::/7', '::fffe:0:0/90']) {
      expect([range, inRanges([range])('192.0.2.7')]).toEqual([range, false]);
    }
    expect(inRanges(['::/64'])('::1')).toBe(true);
    expect(() => inRanges(['nonsense'])).toThrow(/nonsense/);
  });
});

describe('an address', () => {
  test.each(['127.0.0.1', '127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1', 'localhost'])(
    '%s is of this machine alone',
    (text) => {
      expect(isLoopback(text)).toBe(true);
    },
  );
  test.each(['0.0.0.0', '::', '128.0.0.1', '10.0.0.1', 'localhost.example', ''])(
    '%s is not of this machine alone',
    (text) => {
      expect(isLoopback(text)).toBe(false);
    },
  );
  test.each([
    '10.0.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.1.1',
    '127.0.0.1',
    'fd00::1',
    'fe80::1',
    '::1',
  ])('%s cannot be reached from the internet', (text) => expect(isPrivate(text)).toBe(true));
  test.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '192.169.0.1', '2001:db8::1', '::ffff:8.8.8.8', 'nothing'])(
    '%s is not private',
    (text) => expect(isPrivate(text)).toBe(false),
  );
});
