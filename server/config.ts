import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readRange } from './http/address.ts';

/** What the administrator decides, read once at start. */
export interface Config {
  /** The issuer URL, without a trailing slash; the one origin that everything is served under. */
  issuer: string;
  /** True for `http://localhost` issuers, which one machine may use for itself. */
  local: boolean;
  /** WebAuthn's RP ID: the issuer's host name. */
  rpId: string;
  /** The embedded database's file, or `:memory:`. */
  sqliteFile: string;
  listen: { host: string; port: number };
  /** 32 bytes, or undefined where a key file beside the database may be made. */
  masterKey: Buffer | undefined;
  /** How long a session lasts from the touch, in seconds. */
  sessionSeconds: number;
  /** The audience that the AWS account's OIDC provider names. */
  awsAudience: string;
  /** AAGUIDs of the only models that may be enrolled; empty: any. */
  allowedAaguids: readonly string[];
  /** Whether a key must prove its model by an attestation certificate. */
  requireAttestationCert: boolean;
  /** Addresses and ranges of the proxies that say whose request it is. */
  trustedProxies: readonly string[];
  /** For how many days audit rows are kept. */
  auditDays: number;
  logLevel: string;
}

/** A setting that is missing or wrong: named, with what it should look like. */
export class ConfigError extends Error {
  constructor(setting: string, found: string | undefined, expected: string) {
    const value = found === undefined ? 'is not set' : `is ${JSON.stringify(found)}`;
    super(`${setting} ${value}; it should be ${expected}`);
    this.name = 'ConfigError';
  }
}

type Environment = Record<string, string | undefined>;

/**
 * Reads and checks every setting.
 *
 * @param env the process's environment
 * @returns the configuration; nothing in it is checked again later
 * @throws ConfigError for the first setting that is missing or wrong
 */
export function readConfig(env: Environment): Config {
  const { issuer, awsAudience } = readAwsTrust(env);
  const url = new URL(issuer);
  const local = url.protocol === 'http:';
  return {
    issuer,
    local,
    rpId: url.hostname,
    sqliteFile: readDatabase(env),
    listen: readListen(env, url),
    masterKey: readMasterKey(env, local),
    sessionSeconds: Math.round(readHours(env) * 3600),
    awsAudience,
    allowedAaguids: readAaguids(env),
    requireAttestationCert: readBoolean(env, 'VOUCH_REQUIRE_ATTESTATION_CERT'),
    trustedProxies: readProxies(env, local),
    auditDays: readAuditDays(env),
    logLevel: readLogLevel(env),
  };
}

/**
 * Reads what AWS must know of the server, and nothing else: neither a master key nor a database is needed for it.
 *
 * @throws ConfigError for the first of these settings that is missing or wrong
 */
export function readAwsTrust(env: Environment): Pick<Config, 'issuer' | 'awsAudience'> {
  const issuer = readIssuer(env);
  return { issuer, awsAudience: readAudience(env, issuer) };
}

function readIssuer(env: Environment): string {
  const value = env.VOUCH_ISSUER;
  const expected =
    'the URL people and AWS reach this server at, such as https://vouch.example.com (http://localhost:PORT for one machine)';
  const url = value === undefined ? null : URL.parse(value);
  if (value === undefined || url === null) throw new ConfigError('VOUCH_ISSUER', value, expected);
  const secure = url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === 'localhost');
  // OpenID Connect Discovery 1.0, section 3: no query, no fragment. A path would need the RP's pages below it: not supported.
  if (!secure || url.username || url.password || url.search || url.hash || url.pathname !== '/') {
    throw new ConfigError('VOUCH_ISSUER', value, expected);
  }
  // WebAuthn, section 5.1.3: an RP ID is a domain, never an IP address.
  if (/^[\d.]+$/.test(url.hostname) || url.hostname.startsWith('[')) {
    throw new ConfigError('VOUCH_ISSUER', value, 'a URL with a host name: security keys do not sign for IP addresses');
  }
  return url.origin;
}

function readDatabase(env: Environment): string {
  const value = env.VOUCH_DATABASE_URL ?? 'sqlite:./vouch.db';
  const file = value.startsWith('sqlite:') ? value.slice('sqlite:'.length) : '';
  if (file === '' || file.startsWith('//')) {
    throw new ConfigError('VOUCH_DATABASE_URL', value, 'sqlite:FILE, such as sqlite:/var/lib/vouch/vouch.db');
  }
  if (file !== ':memory:' && !existsSync(dirname(file))) {
    throw new ConfigError('VOUCH_DATABASE_URL', value, 'sqlite:FILE in a folder that exists');
  }
  return file;
}

function readListen(env: Environment, issuer: URL): { host: string; port: number } {
  const value = env.VOUCH_LISTEN;
  if (value === undefined) {
    const port = issuer.protocol === 'http:' ? Number(issuer.port || 80) : 8080;
    return { host: '127.0.0.1', port };
  }
  const match = /^(?:(?<host>[\w.-]+|\[[0-9a-fA-F:]+\]):)?(?<port>\d{1,5})$/.exec(value);
  const port = Number(match?.groups?.port);
  if (!match || port > 65_535) {
    throw new ConfigError('VOUCH_LISTEN', value, 'HOST:PORT or PORT, such as 127.0.0.1:8080');
  }
  return { host: (match.groups?.host ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port };
}

function readMasterKey(env: Environment, local: boolean): Buffer | undefined {
  const value = env.VOUCH_MASTER_KEY ?? readKeyFile(env);
  const expected = '32 random bytes in base64, as `openssl rand -base64 32` prints them';
  if (value === undefined) {
    if (local) return undefined;
    throw new ConfigError('VOUCH_MASTER_KEY', undefined, expected);
  }
  const key = Buffer.from(value.trim(), 'base64');
  // The value itself is a secret: the error may not repeat it.
  if (key.length !== 32) throw new ConfigError('VOUCH_MASTER_KEY', `(${key.length} bytes)`, expected);
  return key;
}

function readKeyFile(env: Environment): string | undefined {
  const file = env.VOUCH_MASTER_KEY_FILE;
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new ConfigError('VOUCH_MASTER_KEY_FILE', file, `a readable file that holds the master key (${code})`);
  }
}

function readHours(env: Environment): number {
  const value = env.VOUCH_SESSION_HOURS ?? '8';
  const hours = Number(value);
  // AWS takes sessions of at least 15 minutes; a day is as long as "once a day" can mean.
  if (!/^\d{1,2}(\.\d{1,2})?$/.test(value) || hours < 0.25 || hours > 24) {
    throw new ConfigError('VOUCH_SESSION_HOURS', value, 'a number of hours from 0.25 to 24');
  }
  return hours;
}

function readAudience(env: Environment, issuer: string): string {
  const value = env.VOUCH_AWS_AUDIENCE ?? issuer;
  // IAM's CreateOpenIDConnectProvider: a client ID has 1 to 255 characters.
  if (!/^[\x21-\x7e]{1,255}$/.test(value)) {
    throw new ConfigError(
      'VOUCH_AWS_AUDIENCE',
      value,
      "the audience of AWS's OIDC provider, 1 to 255 characters without spaces",
    );
  }
  return value;
}

function readAaguids(env: Environment): string[] {
  const value = env.VOUCH_ALLOWED_AAGUIDS ?? '';
  const list = value
    .split(/[\s,]+/)
    .filter((item) => item !== '')
    .map((item) => item.toLowerCase());
  for (const item of list) {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(item)) {
      throw new ConfigError(
        'VOUCH_ALLOWED_AAGUIDS',
        item,
        'a list of AAGUIDs, such as 2fc0579f-8113-47ea-b116-bb5a8db9202a',
      );
    }
  }
  return list;
}

function readProxies(env: Environment, local: boolean): string[] {
  const value = env.VOUCH_TRUST_PROXY;
  // A proxy on this machine is what https issuers are documented with; without TLS there need be none.
  if (value === undefined) return local ? [] : ['127.0.0.1', '::1'];
  const list = value.split(/[\s,]+/).filter((item) => item !== '');
  const wrong = list.find((item) => readRange(item) === undefined);
  if (wrong !== undefined || list.length === 0) {
    throw new ConfigError(
      'VOUCH_TRUST_PROXY',
      wrong ?? value,
      'addresses or ranges of your proxies alone, with commas, such as 127.0.0.1,10.1.2.0/24',
    );
  }
  return list;
}

function readAuditDays(env: Environment): number {
  const value = env.VOUCH_AUDIT_DAYS ?? '400';
  const days = Number(value);
  // A week at least: less would let somebody wait until it is forgotten what they did.
  if (!/^\d{1,4}$/.test(value) || days < 7 || days > 3650) {
    throw new ConfigError('VOUCH_AUDIT_DAYS', value, 'a number of days from 7 to 3650');
  }
  return days;
}

function readBoolean(env: Environment, name: string): boolean {
  const value = env[name] ?? 'false';
  if (value !== 'true' && value !== 'false') throw new ConfigError(name, value, 'true or false');
  return value === 'true';
}

function readLogLevel(env: Environment): string {
  const value = env.VOUCH_LOG_LEVEL ?? 'info';
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
  if (!levels.includes(value)) throw new ConfigError('VOUCH_LOG_LEVEL', value, `one of ${levels.join(', ')}`);
  return value;
}
