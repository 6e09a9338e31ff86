/** URLs as Git handles them when it looks for credential settings (Git's credential.c). */

/** The parts of a URL for which Git needs credentials. */
export interface CredentialUrl {
  protocol?: string | undefined;
  host?: string | undefined;
  path?: string | undefined;
  username?: string | undefined;
}

/** The URL of one of Git's requests, escaped as Git escapes it before it looks for sections (`credential_format`). */
export function credentialUrl({ protocol = '', host = '', path, username }: CredentialUrl): string {
  const user = username ? `${escaped(username).replaceAll('/', '%2F')}@` : '';
  return `${protocol}://${user}${host}${path === undefined ? '' : `/${escaped(path)}`}`;
}

/** Escapes as Git's `strbuf_add_percentencode` does. Each character of the text is one byte. */
function escaped(text: string): string {
  return text.replace(/[^A-Za-z0-9\-._~/]/g, (byte) => `%${hex(byte)}`);
}

const hex = (byte: string) => byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');

/** A text with one byte a character. */
export const bytes = (text: string) => Buffer.from(text).toString('latin1');

/** The same request, with one byte a character. */
export function inBytes(asked: CredentialUrl): CredentialUrl {
  return Object.fromEntries(Object.entries(asked).map(([name, text]) => [name, text && bytes(text)]));
}

/**
 * Splits a URL, or a part of one, as Git does (`credential_from_url_1`). A missing part matches everything. Each character of
 * the texts is one byte.
 */
export function parseUrl(url: string): CredentialUrl {
  const [, protocol, rest = ''] = /^(?:(.*?):\/\/)?(.*)$/s.exec(bytes(url)) ?? [];
  const [, authority = '', tail = ''] = /^([^/?#]*)(.*)$/s.exec(rest) ?? [];
  const at = authority.indexOf('@');
  return {
    protocol: protocol || undefined,
    username: at === -1 ? undefined : decode(authority.slice(0, at).split(':', 1)[0] ?? ''),
    host: decode(authority.slice(at + 1)) || undefined,
    path: decode(tail.replace(/^\/+/, '')).replace(/(?<=.)\/+$/s, '') || undefined,
  };
}

/** Whether a section that names only a part of a URL matches: `credential.example.com` is for that host, over any protocol. */
export function partMatches(part: CredentialUrl, asked: CredentialUrl): boolean {
  return (['protocol', 'host', 'path', 'username'] as const).every(
    (name) => part[name] === undefined || part[name] === asked[name],
  );
}

/** Decodes a part of a URL as Git does (`url_decode_mem`): nothing before a colon, no NUL, and malformed escapes stay. */
function decode(text: string): string {
  const colon = Math.max(text.indexOf(':'), 0);
  const decoded = text
    .slice(colon)
    .replace(/%(?!00)([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return text.slice(0, colon) + decoded;
}
