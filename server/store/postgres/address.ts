import { settingRefused } from '../../problem/setting-refused.ts';
import { readTls, type Tls } from './tls.ts';

/** Where a PostgreSQL database is, and as whom and how to connect. */
export interface Address {
  /** A host name, an IP address, or the folder of a Unix socket. */
  host: string;
  port: number;
  user: string;
  /** The password in the URL, if it has one. */
  password: string | undefined;
  database: string;
  /** False for a connection without TLS. */
  tls: Tls | false;
}

/** PostgreSQL's own port. */
const PORT = 5432;

const EXPECTED =
  'postgres://USER@HOST:PORT/DATABASE, such as postgres://vouch@db.example.com/vouch?sslmode=verify-full (a Unix socket: ?host=/FOLDER)';

/** The words of libpq that count here (PostgreSQL's manual, section "Parameter Key Words"). */
const PARAMETERS = ['host', 'port', 'user', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'];

/**
 * Reads a connection URI (PostgreSQL's manual, section "Connection URIs"). What libpq would guess must be said here: a user and a database.
 *
 * @throws Problem `setting-refused`, which never shows the URL: a password may be in it
 */
export function readAddress(value: string): Address {
  const url = URL.parse(withHost(value));
  if (url === null) throw refused('is no URL');
  const parameters = readParameters(url.searchParams);
  const host = decode(url.hostname).replace(/^\[|\]$/g, '') || (parameters.get('host') ?? '');
  const user = decode(url.username) || (parameters.get('user') ?? '');
  const database = decode(url.pathname.slice(1));
  const port = Number(url.port || (parameters.get('port') ?? PORT));
  if (host === '') throw refused('names no host');
  if (host === NO_HOST || host.includes(',')) throw refused(host === NO_HOST ? 'names no host' : 'names several hosts');
  if (user === '') throw refused('names no user');
  if (database === '') throw refused('names no database');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw refused('names a port that is none');
  if (url.hash !== '') throw refused('has a # in it, which must be written %23');
  const password = decode(url.password) || undefined;
  return { host, port, user, password, database, tls: readTls(host, parameters) };
}

/** The address for people, without a secret. */
export function nameOf({ host, port, user, database }: Address): string {
  const place = host.includes(':') ? `[${host}]` : host;
  return `postgres://${user}@${place}:${port}/${database}`;
}

/** Stands for no host, where a URL must have one. No host has this name (RFC 6761, section 6.4). */
const NO_HOST = 'none.invalid';

/** libpq takes `postgres://user@/database?host=/folder`, but no URL has a user without a host. */
function withHost(value: string): string {
  const [, start = '', user = '', rest = ''] = /^(postgres(?:ql)?:\/\/)([^/?#]*@)?([/?].*)$/s.exec(value) ?? [];
  if (start === '') return value;
  const host = new URLSearchParams(rest.slice(rest.indexOf('?') + 1)).get('host');
  return `${start}${user}${host === null ? NO_HOST : encodeURIComponent(host)}${rest}`;
}

function readParameters(found: URLSearchParams): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of found) {
    if (!PARAMETERS.includes(name)) {
      const shown = name.slice(0, 40).replace(/\W/g, '?');
      throw refused(`has the parameter ${shown}, which is none of ${PARAMETERS.join(', ')}`);
    }
    if (parameters.has(name)) throw refused(`has the parameter ${name} twice`);
    parameters.set(name, value);
  }
  return parameters;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused('has a % in it that begins no encoded character');
  }
}

/** @param what what is wrong with it */
function refused(what: string) {
  return settingRefused('VOUCH_DATABASE_URL', `(a URL that ${what})`, EXPECTED);
}
