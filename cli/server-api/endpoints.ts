import { printable } from '../text/printable.ts';

/**
 * Checks the addresses in a discovery document (OpenID Connect Discovery 1.0, section 3), which a Vouch server has all on its own
 * origin. With another address we might open a stranger's page, or send a stranger what is meant for the server.
 *
 * @param server the issuer URL
 * @returns a sentence about the first address that is not on the server's origin; undefined when all are on it
 */
export function foreignEndpoint(metadata: Record<string, unknown>, server: string): string | undefined {
  const { origin } = new URL(server);
  for (const [name, value] of Object.entries(metadata)) {
    if (!/_endpoint$|^jwks_uri$/.test(name)) continue;
    const url = typeof value === 'string' ? URL.parse(value) : null;
    if (url?.origin === origin && url.username === '' && url.password === '') continue;
    return `It names ${printable(String(value), 200)} as its ${printable(name, 100)}, and that is not at ${origin}.`;
  }
  return undefined;
}
