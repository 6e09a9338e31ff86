import { isDomain } from '../network/domain.ts';
import { settingRefused } from '../problem/setting-refused.ts';

/** In characters (IAM API reference, CreateOpenIDConnectProvider, Url). */
const LONGEST = 255;

const EXPECTED =
  'the https URL at which AWS reads the two public documents, such as https://id.example.com or https://example.github.io/vouch';

/**
 * The issuer that AWS trusts. Only tokens for AWS name it.
 *
 * IAM takes a path, but no query and no port (IAM API reference, CreateOpenIDConnectProvider, Url; OpenID Connect Discovery 1.0, section
 * 3). It compares the URL letter by letter, and makes condition keys, policy variables and an ARN of it, so the path has none of the
 * characters that mean something there. A local AWS may read from `localhost`, at any port.
 *
 * @param value VOUCH_AWS_ISSUER
 * @param issuer the server's own issuer, which is the default
 * @throws Problem `setting-refused`
 */
export function readAwsIssuer(value: string | undefined, issuer: string): string {
  if (value === undefined) return issuer;
  const refused = (expected = EXPECTED) => settingRefused('VOUCH_AWS_ISSUER', value, expected);
  const url = URL.parse(value);
  if (url === null || value.length > LONGEST) throw refused();
  const local = url.hostname === 'localhost';
  if (url.protocol !== 'https:' && !(local && url.protocol === 'http:')) throw refused();
  if (url.username || url.password || /[?#\s\\]/.test(value)) throw refused();
  // A name, and no IP address, so that the documents can move without a change at AWS.
  if (!local && (!isDomain(url.hostname) || /^[\d.]+$/.test(url.hostname))) throw refused();
  if (!local && url.port !== '') throw refused(`${EXPECTED}, without a port: AWS takes none`);
  if (url.pathname === '/') return url.origin;
  if (url.pathname.endsWith('/'))
    throw refused(`${EXPECTED}, without a slash at the end: to AWS that is another issuer`);
  // As it was written, because URL resolves dots.
  const path = value.slice(value.indexOf('/', value.indexOf('//') + 2));
  if (path !== url.pathname || !/^(\/(?!\.{1,2}(\/|$))[\w.-]+)+$/.test(path)) {
    throw refused(`${EXPECTED}; its path may have letters, digits and ._- between single slashes`);
  }
  return `${url.origin}${path}`;
}
