import type { Restored } from '../backup/restore.ts';
import { SHORT_KID } from '../signing/find-key.ts';
import { count } from '../text/count.ts';
import { isoTime } from '../text/iso-time.ts';
import { inFull } from '../text/time.ts';
import { rowLine } from './audit/line.ts';
import { sayEnded } from './ended.ts';

/** How many rows of what is lost a terminal shows. */
const SHOWN = 40;

/** What was restored, for a program. */
export function restoredJson({ backup, settled, revoked, aside, lost }: Restored, database: string, dryRun: boolean) {
  return {
    restored: !dryRun,
    database,
    issuer: backup.issuer,
    backedUpAt: isoTime(backup.backedUpAt),
    people: backup.people,
    keys: backup.keys,
    auditRows: backup.trail.rows,
    lastId: backup.trail.head.id,
    lastHash: backup.trail.head.hash,
    whole: backup.trail.fault === undefined,
    invitationsVoided: settled.invitations,
    sessionsEnded: settled.sessions.length,
    browserSessionsEnded: settled.browsers,
    signingKeysRevoked: revoked,
    before: aside ?? null,
    lostAuditRows: lost?.rows ?? null,
    lost:
      lost?.takenBack.map(({ id, at, event, subject, actor }) => ({ id, at: isoTime(at), event, subject, actor })) ??
      null,
  };
}

/**
 * What was restored, for people, with what they should do again.
 *
 * @param how.now milliseconds since the epoch
 */
export function restoredText(
  { backup, settled, revoked, aside, lost }: Restored,
  database: string,
  { now, dryRun, inPlace }: { now: number; dryRun: boolean; inPlace: boolean },
): string {
  const ended = [
    ...(settled.invitations > 0 ? [count(settled.invitations, 'open invitation')] : []),
    ...[sayEnded(settled)].filter((words) => words !== undefined),
  ].join(', ');
  const rows = count(backup.trail.rows, 'audit row');
  const tried = inPlace ? 'This database can be settled: ' : 'This backup can be restored: ';
  const done = inPlace ? 'Settled the database of ' : 'Restored ';
  const lines = [
    `${dryRun ? tried : done}${backup.issuer} ${momentOf(backup, now)}`,
    `  Database     ${database}`,
    `  Contains     ${count(backup.people, 'person', 'people')}, ${count(backup.keys, 'key')}, ${rows}`,
    ...(ended === '' ? [] : [`  ${dryRun ? 'Would end' : 'Ended    '}    ${ended}`]),
    ...revoked.map(
      (kid) =>
        `  ${dryRun ? 'Would end' : 'Ended    '}    the signing key ${kid.slice(0, SHORT_KID)}, which was revoked since`,
    ),
    ...(aside === undefined ? [] : [`  Before       ${aside}`]),
  ];
  if (lost === undefined) return `${[...lines, ...unknown(backup)].join('\n')}\n`;
  if (lost.rows === 0) return `${[...lines, 'Nothing had happened since.'].join('\n')}\n`;
  const shown = lost.takenBack.slice(-SHOWN).map((row) => `  ${rowLine(row).trimEnd()}`);
  lines.push(`${count(lost.rows, 'audit row')} of the time since ${lost.rows === 1 ? 'is' : 'are'} not in it.`);
  if (shown.length > 0) lines.push('What of that you want, do again:', ...shown);
  if (lost.takenBack.length > SHOWN) lines.push(`  … and ${lost.takenBack.length - SHOWN} before these`);
  lines.push(...afterwards(backup));
  return `${lines.join('\n')}\n`;
}

/** @param now milliseconds since the epoch */
function momentOf({ backedUpAt, lastRowAt }: Restored['backup'], now: number): string {
  const at = backedUpAt ?? lastRowAt ?? now;
  return `as of ${backedUpAt === null ? 'some time after ' : ''}${inFull(at)}`;
}

/** What nobody can tell, and where to look. */
function unknown(backup: Restored['backup']): string[] {
  return [
    'What happened since is not in it, and this command cannot know it:',
    '  people who were disabled, removed or demoted, and keys that were removed, are back:  vouch-server people list',
    '  people and keys that were enrolled are gone:  vouch-server invite',
    '  a signing key that was revoked since is back:  vouch-server signing-keys list',
    '  roles at AWS that were used are not in the trail, so aws-revoke does not find them',
    ...afterwards(backup),
  ];
}

function afterwards(backup: Restored['backup']): string[] {
  return [`What follows the audit trail elsewhere goes on from: audit export --since ${backup.trail.head.id}`];
}
