import type { ListenAddress } from '../network/listen.ts';
import { settingRefused } from '../problem/setting-refused.ts';

/**
 * The addresses of `localhost`, in the order in which browsers try them (RFC 6761, section 6.3; RFC 6724). A program that listens on
 * one of them can pose as that origin.
 */
const LOOPBACKS = ['::1', '127.0.0.1'];

/**
 * The addresses to listen on.
 *
 * @param value VOUCH_LISTEN
 * @throws Problem `setting-refused`
 */
export function listenAddresses(value: string | undefined, issuer: URL): ListenAddress[] {
  const local = issuer.protocol === 'http:';
  const issuerPort = Number(issuer.port || 80);
  const usual = { host: '127.0.0.1', port: local ? issuerPort : 8080 };
  const { host, port } = value === undefined ? usual : readHostAndPort('VOUCH_LISTEN', value, usual);
  // On any other port than the issuer's, one address is enough: the program at the issuer's port must hold both.
  const both = host === 'localhost' || (local && port === issuerPort);
  if (!both || host === '::') return [{ host: host === 'localhost' ? '127.0.0.1' : host, port }];
  const own = host === 'localhost' || LOOPBACKS.includes(host) ? [] : [host];
  const loopbacks = host === '0.0.0.0' ? ['::1'] : ['127.0.0.1', '::1'];
  return [...own, ...loopbacks].map((each) => ({
    host: each,
    port,
    ...(each === '::1' && host !== '::1' ? { optional: true as const } : {}),
  }));
}

/**
 * A host and a port.
 *
 * @param usual the host, if the value is a port alone
 * @throws Problem `setting-refused`
 */
export function readHostAndPort(
  setting: string,
  value: string,
  usual: { host: string },
): { host: string; port: number } {
  const match = /^(?:(?<host>[\w.-]+|\[[0-9a-fA-F:]+\]):)?(?<port>\d{1,5})$/.exec(value);
  const port = Number(match?.groups?.port);
  if (!match || port > 65_535) throw settingRefused(setting, value, 'HOST:PORT or PORT, such as 127.0.0.1:8080');
  return { host: (match.groups?.host ?? usual.host).replace(/^\[|\]$/g, '').toLowerCase(), port };
}
