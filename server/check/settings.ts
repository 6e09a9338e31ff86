import { accessSync, constants } from 'node:fs';
import { type Config, readConfig, readInstallation } from '../config/config.ts';
import { asFinding, type Finding, type Result, resultOf } from './result.ts';

type Environment = Record<string, string | undefined>;

/** The settings, as far as they can be read. */
export interface Settings {
  result: Result;
  /** Undefined if any of them is wrong. */
  config: Config | undefined;
  /** What the other checks need. Undefined if one of these is wrong. */
  installation: ReturnType<typeof readInstallation> | undefined;
}

/** Reads the settings as the server does. Read them before the process may become another user. */
export function checkSettings(env: Environment): Settings {
  try {
    const config = readConfig(env);
    const names = Object.keys(env).filter((name) => name.startsWith('VOUCH_'));
    return {
      result: resultOf('settings', { says: `${config.issuer}, ${names.length} set`, data: { names } }),
      config,
      installation: config,
    };
  } catch (error) {
    const result = resultOf('settings', {
      says: 'the server would not start',
      findings: [asFinding('settings.refused', error)],
    });
    return { result, config: undefined, installation: attempt(() => readInstallation(env)) };
  }
}

/** Settings that name a file. */
const FILES = [
  'VOUCH_MASTER_KEY_FILE',
  'VOUCH_DATABASE_PASSWORD_FILE',
  'VOUCH_TLS_CERT',
  'VOUCH_TLS_KEY',
  'VOUCH_ATTESTATION_ROOTS',
  'VOUCH_FIDO_METADATA',
];

/**
 * Whether this user can read the files that root could read. Ask after root has become the database's owner, as the server may run as that
 * user alone.
 */
export function findUnreadable(env: Environment): Finding[] {
  return FILES.flatMap((name) => {
    const file = env[name];
    if (file === undefined || /^https:/i.test(file)) return [];
    if (attempt(() => accessSync(file, constants.R_OK) ?? true)) return [];
    return [
      {
        id: 'settings.unreadable' as const,
        severity: 'warning' as const,
        what: `${name} names ${file}, which the database's owner cannot read.`,
        why: 'A server that starts as that user cannot start.',
        fix: 'Give that user the right to read it, or let systemd pass it on (LoadCredential).',
      },
    ];
  });
}

function attempt<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
