import type { Command } from 'commander';
import { LONGEST_SECONDS } from '../../aws/lifetimes.ts';
import { readSigningInstallation } from '../../config/config.ts';
import { Problem } from '../../problem/problem.ts';
import { arePublishedElsewhere } from '../../public-documents/documents.ts';
import { SHORT_KID } from '../../signing/find-key.ts';
import type { KeyRow } from '../../signing/key-rows.ts';
import type { Revocation } from '../../signing/rotation/revoke.ts';
import { count } from '../../text/count.ts';
import { isoTime } from '../../text/iso-time.ts';
import { type Administration, administer, printJson } from '../administer.ts';
import { confirm } from '../confirm.ts';
import { sayMachines } from '../ended.ts';
import { withKeyRing } from '../key-ring.ts';

/** `vouch-server signing-keys revoke` */
export function addRevoke(keys: Command): void {
  keys
    .command('revoke')
    .description('in an emergency: end a key at once, with all that it has signed')
    .argument('<kid>', 'its name, or the beginning of it as the list shows it')
    .option('--yes', 'do not ask first')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
It says what it breaks, then asks. If nothing has happened to the key, rotate instead: nobody notices that. It needs the server's master
key.`,
    )
    .action(revoke);
}

async function revoke(named: string, { yes, json }: { yes?: boolean; json?: boolean }): Promise<void> {
  const settings = readSigningInstallation(process.env);
  await administer(async (administration) => {
    const { findKey } = await import('../../signing/find-key.ts');
    const { revokeNow } = await import('../../signing/rotation/revoke.ts');
    const { store, by } = administration;
    const key = await findKey(store, named);
    if (key.revoked_at !== null) throw revokedAlready(key.kid);
    for (const line of await consequences(administration, key)) process.stderr.write(`${line}\n`);
    await confirm('Revoke it?', { yes });
    const done = await withKeyRing(administration, settings, (keys) => revokeNow(store, keys, key, Date.now(), by));
    if (json) {
      printJson({
        revoked: done.kids,
        current: done.current ?? null,
        sessionsEnded: done.sessions.map(({ id, email, machine }) => ({ id, email, machine })),
      });
      return;
    }
    process.stdout.write(`${said(done).join('\n')}\n`);
  });
}

/** What a revocation breaks, before it does. */
async function consequences({ store, installation }: Administration, key: KeyRow): Promise<string[]> {
  const { countSessionsOf } = await import('../../signing/rotation/revoke.ts');
  const kid = key.kid.slice(0, SHORT_KID);
  const { state } = key;
  const intro = `${kid} (${state}, since ${isoTime(key.previous_at ?? key.current_at ?? key.published_at)})`;
  if (state === 'gone') {
    return [
      `${intro} is in no key set any more. It is only marked as revoked: \`audit verify\` then warns about checkpoints that it signed.`,
    ];
  }
  if (state === 'next') return [`${intro} has signed nothing yet. Revoking it breaks nothing.`];
  const sessions = await countSessionsOf(store, key, Date.now());
  const publish = !arePublishedElsewhere(installation)
    ? []
    : [`  Write the documents at ${installation.awsIssuer} again at once: vouch-server publish DIR`];
  return [
    `Revoking ${intro} breaks this:`,
    `  ${ending(sessions)} Servers obey within 5 seconds, or 30 without the database.`,
    '  Until AWS reads the key set again, it takes tokens of this key, forged ones too, and refuses new ones. The set says 5 minutes',
    '  (max-age); AWS does not document how long it keeps it. A token itself is good for 6 minutes.',
    `  Credentials that AWS has given for tokens stay, up to ${LONGEST_SECONDS / 3600} hours: vouch-server aws-revoke EMAIL`,
    '  Checkpoints of the audit trail that it signed prove nothing any more: take a new one.',
    ...publish,
    ...(state === 'current' ? ['A new key signs at once.'] : []),
  ];
}

function ending(sessions: number): string {
  if (sessions === 0) return 'No session ends.';
  return sessions === 1
    ? '1 session ends; its person signs in again.'
    : `${sessions} sessions end; these people sign in again.`;
}

function revokedAlready(kid: string): Problem {
  return new Problem({ kind: 'signing-key-unchanged', what: `The signing key ${kid} was revoked already.` });
}

function said({ kids, current, sessions }: Revocation): string[] {
  const short = kids.map((kid) => kid.slice(0, SHORT_KID)).join(' and ');
  return [
    `Revoked ${short}.${current === undefined ? '' : ` ${current.slice(0, SHORT_KID)} signs now.`}`,
    ...(sessions.length === 0 ? [] : [`Ended ${count(sessions.length, 'session')}${sayMachines(sessions)}.`]),
  ];
}
