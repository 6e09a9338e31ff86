import { readRange } from '../network/ip-address.ts';
import type { ListenAddress } from '../network/listen.ts';
import { settingRefused } from '../problem/setting-refused.ts';
import { parseKey, readKeyFile } from '../signing/key-file.ts';
import type { Engine } from '../store/engine.ts';
import { engineFor } from '../store/engines.ts';
import { apiAudience, CLIENT_ID } from './audiences.ts';
import { checkNames } from './setting-names.ts';

/** What the administrator decides, read once at start. */
export interface Config {
  /** The issuer URL, without a trailing slash; the one origin that everything is served under. */
  issuer: string;
  /** True for `http://localhost` issuers, which one machine may use for itself. */
  local: boolean;
  /** WebAuthn's RP ID: the issuer's host name. */
  rpId: string;
  /** Its database, not yet opened. */
  database: Engine;
  /** Every address that the server listens on. */
  listen: readonly ListenAddress[];
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

type Environment = Record<string, string | undefined>;

/**
 * Reads and checks every setting.
 *
 * @param env the process's environment
 * @returns the configuration; nothing in it is checked again later
 * @throws Problem `setting-refused` for the first setting that is missing or wrong
 */
export function readConfig(env: Environment): Config {
  const { issuer, awsAudience } = readAwsTrust(env);
  const url = new URL(issuer);
  const local = url.protocol === 'http:';
  return {
    issuer,
    local,
    rpId: url.hostname,
    database: readDatabase(env),
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
 * Reads what the administrative commands need: which server it is, and its database. Neither the master key nor anything else is
 * asked for.
 *
 * @throws Problem `setting-refused` for the first of these settings that is missing or wrong
 */
export function readInstallation(env: Environment): Pick<Config, 'issuer' | 'database'> {
  checkNames(env);
  return { issuer: readIssuer(env), database: readDatabase(env) };
}

/**
 * Reads what AWS must know of the server, and nothing else: neither a master key nor a database is needed for it.
 *
 * @throws Problem `setting-refused` for the first of these settings that is missing or wrong
 */
export function readAwsTrust(env: Environment): Pick<Config, 'issuer' | 'awsAudience'> {
  checkNames(env);
  const issuer = readIssuer(env);
  return { issuer, awsAudience: readAudience(env, issuer) };
}

function readIssuer(env: Environment): string {
  const value = env.VOUCH_ISSUER;
  const expected =
    'the URL people and AWS reach this server at, such as https://vouch.example.com (http://localhost:PORT for one machine)';
  const url = value === undefined ? null : URL.parse(value);
  if (value === undefined || url === null) throw settingRefused('VOUCH_ISSUER', value, expected);
  const secure = url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === 'localhost');
  // OpenID Connect Discovery 1.0, section 3: no query, no fragment. A path would need the RP's pages below it: not supported.
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
      'a URL with a whole host name of two words or more, such as https://vouch.example.com: browsers and AWS take no other',
    );
  }
  return url.origin;
}

/**
 * Whether it can be an RP ID: a valid domain string (WebAuthn, section 5.1.3; RFC 1123, section 2.1) of at least two labels, as one
 * alone is a public suffix or a name of the local network, and without a dot at the end, which would be another name.
 */
function isDomain(host: string): boolean {
  const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
  return host.length <= 253 && new RegExp(`^(?:${label}\\.)+${label}$`).test(host);
}

function readDatabase(env: Environment): Engine {
  return engineFor(env.VOUCH_DATABASE_URL ?? 'sqlite:./vouch.db');
}

/** Where a browser looks for `localhost`, the first one first (RFC 6761, section 6.3; RFC 6724): whoever holds one of them is that origin. */
const LOOPBACKS = ['::1', '127.0.0.1'];

function readListen(env: Environment, issuer: URL): ListenAddress[] {
  const local = issuer.protocol === 'http:';
  const issuerPort = Number(issuer.port || 80);
  const { host, port } = readAddress(env.VOUCH_LISTEN, { host: '127.0.0.1', port: local ? issuerPort : 8080 });
  // With another port something else answers at the issuer's, and both addresses are its to hold.
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

function readAddress(value: string | undefined, usual: { host: string; port: number }): { host: string; port: number } {
  if (value === undefined) return usual;
  const match = /^(?:(?<host>[\w.-]+|\[[0-9a-fA-F:]+\]):)?(?<port>\d{1,5})$/.exec(value);
  const port = Number(match?.groups?.port);
  if (!match || port > 65_535) {
    throw settingRefused('VOUCH_LISTEN', value, 'HOST:PORT or PORT, such as 127.0.0.1:8080');
  }
  return { host: (match.groups?.host ?? usual.host).replace(/^\[|\]$/g, '').toLowerCase(), port };
}

function readMasterKey(env: Environment, local: boolean): Buffer | undefined {
  const { VOUCH_MASTER_KEY: value, VOUCH_MASTER_KEY_FILE: file } = env;
  if (value !== undefined && file !== undefined) {
    throw settingRefused('VOUCH_MASTER_KEY_FILE', file, 'not set, or VOUCH_MASTER_KEY not: one of them holds the key');
  }
  if (value !== undefined) return parseKey('VOUCH_MASTER_KEY', value);
  if (file !== undefined) return readKeyFile('VOUCH_MASTER_KEY_FILE', file, env.CREDENTIALS_DIRECTORY);
  if (local) return undefined;
  throw settingRefused(
    'VOUCH_MASTER_KEY',
    undefined,
    '32 random bytes in base64, as `openssl rand -base64 32` prints them (VOUCH_MASTER_KEY_FILE names a file that holds them)',
  );
}

function readHours(env: Environment): number {
  const value = env.VOUCH_SESSION_HOURS ?? '8';
  const hours = Number(value);
  // AWS takes sessions of at least 15 minutes; a day is as long as "once a day" can mean.
  if (!/^\d{1,2}(\.\d{1,2})?$/.test(value) || hours < 0.25 || hours > 24) {
    throw settingRefused('VOUCH_SESSION_HOURS', value, 'a number of hours from 0.25 to 24');
  }
  return hours;
}

function readAudience(env: Environment, issuer: string): string {
  const value = env.VOUCH_AWS_AUDIENCE ?? issuer;
  // IAM's CreateOpenIDConnectProvider: a client ID has 1 to 255 characters.
  if (!/^[\x21-\x7e]{1,255}$/.test(value)) {
    throw settingRefused(
      'VOUCH_AWS_AUDIENCE',
      value,
      "the audience of AWS's OIDC provider, 1 to 255 characters without spaces",
    );
  }
  // Else AWS would take tokens that were made for something else, and are bound to no role.
  if (value === CLIENT_ID || value === apiAudience(issuer)) {
    throw settingRefused(
      'VOUCH_AWS_AUDIENCE',
      value,
      "an audience of AWS's own, such as the issuer: this one is of the tokens that people's programs hold",
    );
  }
  return value;
}

function readAaguids(env: Environment): string[] {
  const value = env.VOUCH_ALLOWED_AAGUIDS;
  if (value === undefined) return [];
  const list = value
    .split(/[\s,]+/)
    .filter((item) => item !== '')
    .map((item) => item.toLowerCase());
  for (const item of list) {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(item)) {
      throw settingRefused(
        'VOUCH_ALLOWED_AAGUIDS',
        item,
        'a list of AAGUIDs, such as 2fc0579f-8113-47ea-b116-bb5a8db9202a',
      );
    }
  }
  // Whoever sets it means to refuse some models; a list with nothing in it (a template's empty variable) would refuse none.
  if (list.length === 0) {
    throw settingRefused(
      'VOUCH_ALLOWED_AAGUIDS',
      value,
      'a list of AAGUIDs, or not set: then any model may be enrolled',
    );
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
    throw settingRefused(
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
    throw settingRefused('VOUCH_AUDIT_DAYS', value, 'a number of days from 7 to 3650');
  }
  return days;
}

function readBoolean(env: Environment, name: string): boolean {
  const value = env[name] ?? 'false';
  if (value !== 'true' && value !== 'false') throw settingRefused(name, value, 'true or false');
  return value === 'true';
}

function readLogLevel(env: Environment): string {
  const value = env.VOUCH_LOG_LEVEL ?? 'info';
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
  if (!levels.includes(value)) throw settingRefused('VOUCH_LOG_LEVEL', value, `one of ${levels.join(', ')}`);
  return value;
}
