import { Problem } from '../problem/problem.ts';
import { nearest } from '../text/edit-distance.ts';

/** Every setting of the server. docs/administration.md explains them, and a new one goes here first. */
export const SETTINGS = [
  'VOUCH_ISSUER',
  'VOUCH_DATABASE_URL',
  'VOUCH_DATABASE_POOL',
  'VOUCH_DATABASE_PASSWORD_FILE',
  'VOUCH_DATABASE_PASSWORD_COMMAND',
  'VOUCH_LISTEN',
  'VOUCH_MASTER_KEY',
  'VOUCH_MASTER_KEY_FILE',
  'VOUCH_SIGNING_KEY',
  'VOUCH_OWNER_EMAIL',
  'VOUCH_SESSION_HOURS',
  'VOUCH_ALLOW_PASTE',
  'VOUCH_KEY_ROTATION_DAYS',
  'VOUCH_AWS_ISSUER',
  'VOUCH_AWS_AUDIENCE',
  'VOUCH_AWS_SESSION_MINUTES',
  'VOUCH_ALLOWED_AAGUIDS',
  'VOUCH_REQUIRE_ATTESTATION_CERT',
  'VOUCH_FIDO_METADATA',
  'VOUCH_ATTESTATION_ROOTS',
  'VOUCH_MIN_KEY_LEVEL',
  'VOUCH_TLS_CERT',
  'VOUCH_TLS_KEY',
  'VOUCH_TRUST_PROXY',
  'VOUCH_AUDIT_DAYS',
  'VOUCH_TEAM_NAME',
  'VOUCH_CONTACT',
  'VOUCH_METRICS_LISTEN',
  'VOUCH_DRAIN_SECONDS',
  'VOUCH_LOG_LEVEL',
];

/** `vouch` sets these in a shell (cli/prompt), from which the server may be started. */
const CLI = ['VOUCH_SESSION', 'VOUCH_EMAIL', 'VOUCH_EXPIRES_AT', 'VOUCH_SERVER', 'VOUCH_PROMPT'];

/**
 * What Kubernetes sets for a Service whose name begins with `vouch` (its documentation, "Accessing the Service: Environment
 * variables"), and Docker's links once did: VOUCH_SERVICE_HOST, VOUCH_SERVICE_PORT_HTTP, VOUCH_PORT_80_TCP_ADDR.
 */
const SERVICE_LINK = /^VOUCH_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const SERVICE_LINK_URL = /^VOUCH_(\w+_)?PORT$/;

/**
 * Refuses a name that begins with `VOUCH_` but is not a setting: a mistyped setting would have no effect.
 *
 * @throws Problem `setting-refused`, which names the nearest setting
 */
export function checkNames(env: Record<string, string | undefined>): void {
  for (const [name, value = ''] of Object.entries(env)) {
    if (!name.startsWith('VOUCH_') || SETTINGS.includes(name) || CLI.includes(name)) continue;
    if (SERVICE_LINK.test(name) || (SERVICE_LINK_URL.test(name) && /^(tcp|udp|sctp):\/\//.test(value))) continue;
    const shown = name.slice(0, 100).replace(/[^\w]/g, '?');
    throw new Problem({
      kind: 'setting-refused',
      what: `${shown} is not a setting of the server; the nearest one is ${nearest(name.slice(0, 100), SETTINGS)}.`,
      why: 'A mistyped setting would have no effect.',
      fix: 'Correct the name, or remove it from the environment.',
    });
  }
}
