import type { Request, Response } from 'express';
import { describe, expect, test } from 'vitest';
import type { Config } from '../../../server/config/config.ts';
import { clientAddress } from '../../../server/http/client-address.ts';
import { WindowStore } from '../../../server/http/window-store.ts';
import { inRanges, readAddress, readForwarded, readRange } from '../../../server/network/ip-address.ts';

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
    // An IPv6 range around the mapped addresses is no range of IPv4.
    for (const range of ['::/64', '::/7', '::fffe:0:0/90']) {
      expect([range, inRanges([range])('192.0.2.7')]).toEqual([range, false]);
    }
    expect(inRanges(['::/64'])('::1')).toBe(true);
    expect(() => inRanges(['nonsense'])).toThrow(/nonsense/);
  });
});

describe('whose request it is', () => {
  /** What `request.ip` becomes, or the problem's status. */
  function of(peer: string | undefined, forwarded: string | undefined, local: boolean): string | number | undefined {
    const config = { issuer: '', local, trustedProxies: ['127.0.0.1', '10.0.0.0/8', '2001:db8:1::/48'] };
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    const request = { socket: { remoteAddress: peer }, headers } as Partial<Request>;
    try {
      clientAddress(config as unknown as Config)(request as Request, {} as Response, () => {});
    } catch (error) {
      return (error as { status: number }).status;
    }
    return request.ip;
  }

  const cases: [string | undefined, string | undefined, string | number, string | number][] = [
    // peer, header, with https, with http://localhost
    ['127.0.0.1', '192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['::ffff:127.0.0.1', '::ffff:192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['127.0.0.1', '198.51.100.1, 192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['127.0.0.1', '127.0.0.1, 192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['127.0.0.1', 'garbage, 192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['127.0.0.1', '198.51.100.1, 192.0.2.1, 10.2.3.4', '192.0.2.1', '192.0.2.1'],
    ['2001:db8:1::9', '192.0.2.1:5678,[2001:db8:1::1]:1', '192.0.2.1', '192.0.2.1'],
    ['10.255.0.1', '10.0.0.2', '10.0.0.2', '10.0.0.2'],
    ['127.0.0.1', 'garbage', 400, 400],
    ['127.0.0.1', '192.0.2.1, garbage', 400, 400],
    ['127.0.0.1', 'garbage, 10.0.0.1', 400, 400],
    ['127.0.0.1', '', 400, 400],
    ['127.0.0.1', undefined, 400, '127.0.0.1'],
    ['192.0.2.9', '198.51.100.1', 421, '192.0.2.9'],
    ['192.0.2.9', undefined, 421, '192.0.2.9'],
    ['fe80::1%eth0', '198.51.100.1', 421, 'fe80::1'],
    ['127.0.0.2', '198.51.100.1', 421, '127.0.0.2'],
    [undefined, '198.51.100.1', 400, 400],
  ];
  test.each(cases)('%s says %s', (peer, forwarded, withHttps, local) => {
    expect(of(peer, forwarded, false)).toBe(withHttps);
    expect(of(peer, forwarded, true)).toBe(local);
  });
});

describe('the counts of a limit', () => {
  function store(): { counts: WindowStore; clock: { now: number } } {
    const clock = { now: 1_000_000 };
    const counts = new WindowStore(() => clock.now);
    counts.init({ windowMs: 60_000 });
    return { counts, clock };
  }

  test('begin anew when their minute is over', () => {
    const { counts, clock } = store();
    expect([1, 2, 3].map(() => counts.increment('a').totalHits)).toEqual([1, 2, 3]);
    expect(counts.increment('b').totalHits).toBe(1);
    clock.now += 59_999;
    expect(counts.increment('a').totalHits).toBe(4);
    clock.now += 1;
    expect(counts.increment('a').totalHits).toBe(1);
    const until = Number(counts.increment('a').resetTime) - Date.now();
    expect(until).toBeGreaterThan(50_000);
    expect(until).toBeLessThanOrEqual(60_000);
  });

  test('take little memory, and nobody’s is lost for one who comes from very many addresses but the oldest', () => {
    const { counts, clock } = store();
    counts.increment('first');
    clock.now += 1;
    for (let index = 0; index < 19_999; index += 1) counts.increment(`early ${index}`);
    expect([counts.size, counts.increment('first').totalHits]).toEqual([20_000, 2]);
    for (let index = 0; index < 10_000; index += 1) counts.increment(`late ${index}`);
    expect(counts.size).toBe(20_000);
    expect(counts.increment('early 19998').totalHits).toBe(2);
    expect(counts.increment('first').totalHits).toBe(1);
    clock.now += 60_000;
    counts.increment('another day');
    expect(counts.size).toBe(1);
  });

  test('can be taken back', () => {
    const { counts } = store();
    counts.increment('a');
    counts.decrement('a');
    counts.decrement('a');
    counts.decrement('nobody');
    expect(counts.increment('a').totalHits).toBe(1);
    counts.resetKey('a');
    expect(counts.size).toBe(0);
  });
});
