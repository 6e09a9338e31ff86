/**
 * Whether a section of Git's configuration, `credential.<URL>` or `http.<URL>`, is for a URL. The rules are those of git-config(1),
 * `http.<url>.*`, and of Git's urlmatch.c.
 */

/** A URL in the form in which Git compares URLs. Each character of a text is one byte. */
export interface NormalUrl {
  scheme: string;
  /** Undefined without an `@`. */
  user: string | undefined;
  host: string;
  /** Empty for the scheme's default port. */
  port: string;
  /** With a leading slash, and with query and fragment. */
  path: string;
}

/**
 * Brings a URL into the form in which Git compares URLs: lower case where case does not matter, escapes only where needed, no
 * default port, no `.` and `..` in the path.
 *
 * @param pattern whether it is a pattern from the configuration, whose host may have a `*`
 * @returns undefined when it is not a whole URL
 */
export function normalizeUrl(url: string, { pattern = false } = {}): NormalUrl | undefined {
  // One byte a character: characters beyond ASCII are escaped byte by byte.
  const bytes = Buffer.from(url).toString('latin1');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(bytes)?.[1];
  if (scheme === undefined) return undefined;
  let rest = bytes.slice(scheme.length + 3);
  const authorityEnd = /[/?#]|$/.exec(rest)?.index ?? rest.length;

  let user: string | undefined;
  const at = rest.indexOf('@');
  if (at !== -1 && at < authorityEnd) {
    const escaped = normalizeEscapes(rest.slice(0, at));
    if (escaped === undefined) return undefined;
    user = escaped.split(':', 1)[0] ?? '';
    rest = rest.slice(at + 1);
  }

  const authority = rest.slice(0, /[/?#]|$/.exec(rest)?.index);
  rest = rest.slice(authority.length);
  // Within the brackets of an IPv6 address, a colon is part of the host.
  const [, host = '', portText] = /^(.*?)(?::([^\]:]*))?$/s.exec(authority) ?? [];
  const isFile = scheme.toLowerCase() === 'file';
  if (host === '' && !isFile) return undefined;
  if (!(pattern ? /^[A-Za-z0-9.\-_[:\]*]*$/ : /^[A-Za-z0-9.\-_[:\]]*$/).test(host)) return undefined;
  const port = normalizePort(portText, scheme.toLowerCase());
  if (port === undefined || (isFile && host === '' && portText)) return undefined;

  const path = normalizePath(rest);
  return path === undefined ? undefined : { scheme: scheme.toLowerCase(), user, host: host.toLowerCase(), port, path };
}

/** Whether the section with this pattern is for the URL. */
export function urlMatches(url: NormalUrl, pattern: NormalUrl): boolean {
  return (
    url.scheme === pattern.scheme &&
    (pattern.user === undefined || url.user === pattern.user) &&
    hostMatches(url.host, pattern.host) &&
    url.port === pattern.port &&
    pathMatches(url.path, pattern.path)
  );
}

/** Whether both patterns may match the same URL. */
export function patternsOverlap(a: NormalUrl, b: NormalUrl): boolean {
  const [labels, others] = [labelsOf(a.host), labelsOf(b.host)];
  return (
    a.scheme === b.scheme &&
    (a.user === undefined || b.user === undefined || a.user === b.user) &&
    labels.length === others.length &&
    labels.every((label, i) => label === '*' || others[i] === '*' || label === others[i]) &&
    a.port === b.port &&
    (pathMatches(a.path, b.path) || pathMatches(b.path, a.path))
  );
}

/** Whether a host matches. A `*` as a whole label stands for any one label. */
function hostMatches(host: string, pattern: string): boolean {
  const labels = labelsOf(host);
  const wanted = labelsOf(pattern);
  return labels.length === wanted.length && wanted.every((label, i) => label === '*' || label === labels[i]);
}

/** Git ignores a dot at the end (`match_host`). */
function labelsOf(host: string): string[] {
  return host === '' ? [] : host.replace(/\.$/, '').split('.');
}

/** Whether the pattern is the path, or its beginning up to a slash. */
function pathMatches(path: string, pattern: string): boolean {
  const prefix = pattern.replace(/\/$/, '');
  return path === prefix || path.startsWith(`${prefix}/`);
}

function normalizePort(port: string | undefined, scheme: string): string | undefined {
  if (port === undefined || port === '') return '';
  const digits = port.replace(/^0+(?=.)/, '');
  if (digits === { http: '80', https: '443' }[scheme]) return '';
  return /^\d{1,5}$/.test(digits) && Number(digits) >= 1 && Number(digits) <= 65_535 ? digits : undefined;
}

function normalizePath(text: string): string | undefined {
  const end = /[?#]|$/.exec(text)?.index ?? text.length;
  const escaped = normalizeEscapes(text.slice(0, end).replace(/^\//, ''));
  const rest = normalizeEscapes(text.slice(end));
  if (escaped === undefined || rest === undefined) return undefined;
  const segments: string[] = [];
  for (const segment of escaped.split('/')) {
    if (segment === '..' && segments.pop() === undefined) return undefined;
    if (segment !== '.' && segment !== '..') segments.push(segment);
  }
  return `/${segments.join('/')}${rest}`;
}

/** RFC 3986 escapes: in upper case if needed, decoded if not. Undefined when one is malformed. */
function normalizeEscapes(text: string): string | undefined {
  if (/^[A-Za-z0-9/._-]*$/.test(text)) return text;
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  return text.replace(/%([0-9A-Fa-f]{2})|[^%]/gs, (found, hex: string | undefined) => {
    const character = hex === undefined ? found : String.fromCharCode(Number.parseInt(hex, 16));
    const reserved = hex !== undefined && /[:/?#[\]@!$&'()*+,;=]/.test(character);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must be escaped
    if (!reserved && !/[\x00-\x20\x7f-\xff<>"%{}|\\^`]/.test(character)) return character;
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
