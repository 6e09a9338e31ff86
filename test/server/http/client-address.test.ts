import type { Request, Response } from 'express';
import { describe, expect, test } from 'vitest';
import type { Config } from '../../../server/config/config.ts';
import { clientAddress } from '../../../server/http/client-address.ts';
import { STATUS } from '../../../server/http/status.ts';
import type { Problem } from '../../../server/problem/problem.ts';

describe('the address of a client', () => {
  /** What `request.ip` becomes, or the problem's status. */
  function addressOf(
    peer: string | undefined,
    forwarded: string | undefined,
    local: boolean,
  ): string | number | undefined {
    const config = { issuer: '', local, trustedProxies: ['127.0.0.1', '10.0.0.0/8', '2001:db8:1::/48'] };
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    const request = { socket: { remoteAddress: peer }, headers } as Partial<Request>;
    try {
      clientAddress(config as unknown as Config)(request as Request, {} as Response, () => {});
    } catch (error) {
      return STATUS[(error as Problem).category];
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
  test.each(cases)('if %s says %s', (peer, forwarded, withHttps, local) => {
    expect(addressOf(peer, forwarded, false)).toBe(withHttps);
    expect(addressOf(peer, forwarded, true)).toBe(local);
  });
});
