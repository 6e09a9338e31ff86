import type { MetadataSource } from '../fido-metadata/source.ts';
import type { KeyRules } from '../key-policy/judge.ts';
import type { KmsArn } from '../kms/key-arn.ts';
import type { ListenAddress } from '../network/listen.ts';
import type { TlsFiles, TlsPair } from '../network/tls.ts';
import { normalizeEmail } from '../people/email.ts';
import { Problem } from '../problem/problem.ts';
import { settingRefused } from '../problem/setting-refused.ts';
import type { ConfiguredMasterKey } from '../signing/wrapped-master-key.ts';
import type { Engine } from '../store/engine.ts';
import { isReadable } from '../text/readable-text.ts';
import { readAllowPaste } from './allow-paste.ts';
import { readAwsAudience } from './aws-audience.ts';
import { readAwsIssuer } from './aws-issuer.ts';
import { readAwsSession } from './aws-session.ts';
import { type Contact, readContact } from './contact.ts';
import { readDatabase } from './database.ts';
import { readDrainSeconds } from './drain-seconds.ts';
import { readIssuer } from './issuer.ts';
import { readKeyRotation } from './key-rotation.ts';
import { readKeySettings } from './key-settings.ts';
import { listenAddresses } from './listen-addresses.ts';
import { readMasterKey } from './master-key.ts';
import { readMetricsListen } from './metrics-listen.ts';
import { checkNames } from './setting-names.ts';
import { readSigningKey } from './signing-key.ts';
import { readTls } from './tls.ts';
import { readTraces, type TraceSettings } from './traces.ts';
import { readTrustedProxies } from './trusted-proxies.ts';

/** The administrator's settings, read once at the start. */
export interface Config {
  /** The issuer's URL, without a trailing slash: the one origin of everything that is served. */
  issuer: string;
  /** Whether the issuer is at `http://localhost`, for one machine's own use. */
  local: boolean;
  /** WebAuthn's RP ID: the issuer's host name. */
  rpId: string;
  /** The database, not yet opened. */
  database: Engine;
  listen: readonly ListenAddress[];
  /** The server's own certificate; undefined if a proxy ends TLS, or there is none. */
  tls: { files: TlsFiles; pair: TlsPair } | undefined;
  /** Undefined if the server may make a key file beside the database. */
  masterKey: ConfiguredMasterKey | undefined;
  /** The KMS key that signs tokens; undefined if keys in the database do. */
  signingKey: KmsArn | undefined;
  /** Who is to be the first owner: until they are, nobody else gets in. */
  ownerEmail: string | undefined;
  /** How long a session lasts after its touch, in seconds. */
  sessionSeconds: number;
  /** Whether a sign-in's code may be pasted into the terminal (`vouch login --paste`). */
  allowPaste: boolean;
  /** After how many days another signing key takes over; undefined if only an administrator changes it. */
  keyRotationDays: number | undefined;
  /** The issuer that AWS trusts: `iss` of tokens for AWS, and of no others. */
  awsIssuer: string;
  /** The audience that AWS accounts' OIDC providers name. */
  awsAudience: string;
  /** How long the AWS credentials that people ask STS for may last, in seconds. */
  awsSessionSeconds: number;
  /** Which keys count. */
  keyRules: KeyRules;
  /** Where FIDO's metadata comes from; undefined if it is not used. */
  fidoMetadata: MetadataSource | undefined;
  /** Addresses and ranges of the proxies whose X-Forwarded-For counts. */
  trustedProxies: readonly string[];
  /** How many days audit rows are kept. */
  auditDays: number;
  /** Whose server it is, for people. */
  teamName: string | undefined;
  contact: Contact | undefined;
  /** Where Prometheus reads the metrics; undefined if nothing is measured. */
  metricsListen: ListenAddress | undefined;
  /** How traces are made; undefined if there are none. */
  traces: TraceSettings | undefined;
  /** How long a server that is to end still takes requests, in milliseconds. */
  drainMs: number;
  logLevel: string;
}

type Environment = Record<string, string | undefined>;

/** What every administrative command needs. */
type Installation = Pick<Config, 'issuer' | 'awsIssuer' | 'database' | 'ownerEmail' | 'awsSessionSeconds'>;

/**
 * Reads and checks all settings.
 *
 * @param env the process's environment
 * @returns the checked configuration; nothing checks it again
 * @throws Problem `setting-refused` for the first setting that is missing or wrong
 */
export function readConfig(env: Environment): Config {
  const { issuer, awsIssuer, awsAudience, awsSessionSeconds } = readAwsTrust(env);
  const url = new URL(issuer);
  const local = url.protocol === 'http:';
  const database = readDatabase(env);
  const tls = readTls(env, url);
  return {
    issuer,
    local,
    rpId: url.hostname,
    database,
    listen: listenAddresses(env.VOUCH_LISTEN, url),
    tls,
    masterKey: readMasterKey(env, issuer, local && database.masterKeyFile !== undefined),
    signingKey: readSigningKey(env.VOUCH_SIGNING_KEY),
    ownerEmail: readOwner(env),
    sessionSeconds: Math.round(readHours(env) * 3600),
    allowPaste: readAllowPaste(env, url),
    keyRotationDays: readKeyRotation(env.VOUCH_KEY_ROTATION_DAYS),
    awsIssuer,
    awsAudience,
    awsSessionSeconds,
    ...readKeySettings(env),
    trustedProxies: readTrustedProxies(env.VOUCH_TRUST_PROXY, local || tls !== undefined),
    auditDays: readAuditDays(env),
    teamName: readTeamName(env),
    contact: readContact(env.VOUCH_CONTACT),
    metricsListen: readMetricsListen(env.VOUCH_METRICS_LISTEN),
    traces: readTraces(env),
    drainMs: readDrainSeconds(env.VOUCH_DRAIN_SECONDS),
    logLevel: readLogLevel(env),
  };
}

/**
 * Reads what administrative commands need: the issuers, the database, the first owner, and how long AWS credentials may last. They need
 * no master key.
 *
 * @throws Problem `setting-refused` for the first of these settings that is missing or wrong
 */
export function readInstallation(env: Environment): Installation {
  checkNames(env);
  const issuer = readIssuer(env.VOUCH_ISSUER);
  return {
    issuer,
    awsIssuer: readAwsIssuer(env.VOUCH_AWS_ISSUER, issuer),
    database: readDatabase(env),
    ownerEmail: readOwner(env),
    awsSessionSeconds: readAwsSession(env.VOUCH_AWS_SESSION_MINUTES),
  };
}

/**
 * Reads what a command needs to use the signing key: the master key as well.
 *
 * @throws Problem `setting-refused` for the first of these settings that is missing or wrong
 */
export function readSigningInstallation(env: Environment): Installation & Pick<Config, 'masterKey' | 'signingKey'> {
  const installation = readInstallation(env);
  const { issuer, database } = installation;
  const canMake = new URL(issuer).protocol === 'http:' && database.masterKeyFile !== undefined;
  const { signingKey } = readSigningSchedule(env);
  return { ...installation, masterKey: readMasterKey(env, issuer, canMake), signingKey };
}

/**
 * Reads the settings that say when and where the next signing key is made.
 *
 * @throws Problem `setting-refused` for the first of these settings that is wrong
 */
export function readSigningSchedule(env: Environment): Pick<Config, 'keyRotationDays' | 'signingKey'> {
  return {
    keyRotationDays: readKeyRotation(env.VOUCH_KEY_ROTATION_DAYS),
    signingKey: readSigningKey(env.VOUCH_SIGNING_KEY),
  };
}

/**
 * Reads the settings that AWS must know. That needs neither a master key nor a database.
 *
 * @throws Problem `setting-refused` for the first of these settings that is missing or wrong
 */
export function readAwsTrust(
  env: Environment,
): Pick<Config, 'issuer' | 'awsIssuer' | 'awsAudience' | 'awsSessionSeconds'> {
  checkNames(env);
  const issuer = readIssuer(env.VOUCH_ISSUER);
  const awsIssuer = readAwsIssuer(env.VOUCH_AWS_ISSUER, issuer);
  return {
    issuer,
    awsIssuer,
    awsAudience: readAwsAudience(env.VOUCH_AWS_AUDIENCE, issuer, awsIssuer),
    awsSessionSeconds: readAwsSession(env.VOUCH_AWS_SESSION_MINUTES),
  };
}

function readOwner(env: Environment): string | undefined {
  const value = env.VOUCH_OWNER_EMAIL;
  if (value === undefined) return undefined;
  try {
    return normalizeEmail(value);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem({ kind: 'setting-refused', what: `VOUCH_OWNER_EMAIL cannot be used: ${error.what}` });
  }
}

function readHours(env: Environment): number {
  const value = env.VOUCH_SESSION_HOURS ?? '8';
  const hours = Number(value);
  // AWS sessions last at least 15 minutes, and "once a day" cannot mean longer than a day.
  if (!/^\d{1,2}(\.\d{1,2})?$/.test(value) || hours < 0.25 || hours > 24) {
    throw settingRefused('VOUCH_SESSION_HOURS', value, 'a number of hours from 0.25 to 24');
  }
  return hours;
}

function readAuditDays(env: Environment): number {
  const value = env.VOUCH_AUDIT_DAYS ?? '400';
  const days = Number(value);
  // With less than a week, an attacker could wait until the traces are gone.
  if (!/^\d{1,4}$/.test(value) || days < 7 || days > 3650) {
    throw settingRefused('VOUCH_AUDIT_DAYS', value, 'a number of days from 7 to 3650');
  }
  return days;
}

function readTeamName(env: Environment): string | undefined {
  const value = env.VOUCH_TEAM_NAME;
  const name = value?.trim();
  if (name === undefined || ([...name].length <= 60 && isReadable(name))) return name;
  throw settingRefused('VOUCH_TEAM_NAME', value, 'a name of 1 to 60 characters that can be seen');
}

function readLogLevel(env: Environment): string {
  const value = env.VOUCH_LOG_LEVEL ?? 'info';
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
  if (!levels.includes(value)) throw settingRefused('VOUCH_LOG_LEVEL', value, `one of ${levels.join(', ')}`);
  return value;
}
