import { isDomain } from '../network/domain.ts';
import { settingRefused } from '../problem/setting-refused.ts';

/**
 * The issuer's URL.
 *
 * @param value VOUCH_ISSUER
 * @throws Problem `setting-refused`
 */
export function readIssuer(value: string | undefined): string {
  const expected =
    'the URL people and AWS reach this server at, such as https://vouch.example.com (http://localhost:PORT for one machine)';
  if (value === undefined) {
    // The first setting that every command misses in a shell without any.
    const fix = "If the server's settings are in a file, load them first: set -a; . /etc/vouch/vouch.env; set +a";
    throw settingRefused('VOUCH_ISSUER', value, expected, fix);
  }
  const url = URL.parse(value);
  if (url === null) throw settingRefused('VOUCH_ISSUER', value, expected);
  const secure = url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === 'localhost');
  // OpenID Connect Discovery 1.0, section 3: no query and no fragment. Paths are not supported.
  if (!secure || url.username || url.password || url.search || url.hash || url.pathname !== '/') {
    throw settingRefused('VOUCH_ISSUER', value, expected);
  }
  // WebAuthn, section 5.1.3: an RP ID is a domain, never an IP address.
  if (/^[\d.]+$/.test(url.hostname) || url.hostname.startsWith('[')) {
    throw settingRefused('VOUCH_ISSUER', value, 'a URL with a host name: security keys do not sign for IP addresses');
  }
  if (url.hostname !== 'localhost' && !isDomain(url.hostname)) {
    throw settingRefused(
      'VOUCH_ISSUER',
      value,
      'a URL with a full host name of two labels or more, such as https://vouch.example.com: browsers and AWS accept no other',
    );
  }
  return url.origin;
}
