import type { Command } from 'commander';
import type { Checkpoint, Found } from '../../audit/checkpoint.ts';
import type { Restoration } from '../../audit/restorations.ts';
import type { Fault, Verdict } from '../../audit/verify.ts';
import { readSigningInstallation } from '../../config/config.ts';
import { Problem } from '../../problem/problem.ts';
import { saveMemory } from '../../process/save-memory.ts';
import type { Store } from '../../store/store.ts';
import { isoTime } from '../../text/iso-time.ts';
import { inFull } from '../../text/time.ts';
import { type Administration, administer, printJson } from '../administer.ts';
import { keyFinder } from '../key-ring.ts';
import { readInput } from '../read-input.ts';

/** The longest checkpoint, in bytes. */
const LONGEST = 16_384;

interface VerifyOptions {
  checkpoint?: string;
  json?: boolean;
}

/** What was found out about a checkpoint; with the restore that may have lost its row. */
type Compared = Checkpoint & { found: Found; deletionKeyRevokedAt: number | null; restored?: Restoration };

/** `vouch-server audit verify` */
export function addVerify(audit: Command): void {
  audit
    .command('verify')
    .description('prove that no row of the audit trail was changed, removed, added or reordered')
    .option(
      '--checkpoint <file>',
      'prove also that the trail still contains this checkpoint; - reads it from the input',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
It ends with 0 if the trail is whole, and with 1 if not. The server may run meanwhile. A checkpoint takes the server's master key
(VOUCH_MASTER_KEY or VOUCH_MASTER_KEY_FILE), which proves that this server has signed it.`,
    )
    .action(verify);
}

async function verify({ checkpoint: file, json = false }: VerifyOptions): Promise<void> {
  saveMemory();
  // Both before the process may become another user.
  const given =
    file === undefined ? undefined : { text: await readFile(file), settings: readSigningInstallation(process.env) };
  await administer(async (administration) => {
    const { verifyTrail } = await import('../../audit/verify.ts');
    const { readSnapshot } = await import('../../store/snapshot.ts');
    const compare = given && (await comparison(administration, given));
    const [verdict, compared] = await readSnapshot(administration.store, async (snapshot) => {
      const verdict = await verifyTrail(snapshot);
      return [verdict, verdict.fault === undefined ? await compare?.(snapshot, verdict) : undefined] as const;
    });
    if (json) printJson(asJson(verdict, compared));
    if (verdict.fault !== undefined) throw broken(inWords(verdict.fault));
    const trouble = compared && troubleWith(compared, verdict.base.id);
    if (trouble !== undefined) throw broken(trouble, compared?.restored);
    if (!json) process.stdout.write(asText(verdict, compared));
  });
}

/** Reads a checkpoint, and returns what compares the trail with it. */
async function comparison(
  administration: Administration,
  { text, settings }: { text: string; settings: ReturnType<typeof readSigningInstallation> },
) {
  const { deletionKeyRevokedAt, findCheckpoint, readCheckpoint } = await import('../../audit/checkpoint.ts');
  const { restorationAfter } = await import('../../audit/restorations.ts');
  const signer = { issuer: settings.issuer, findKey: await keyFinder(administration, settings) };
  const checkpoint = await readCheckpoint(text, signer);
  return async (snapshot: Store, { base }: Verdict): Promise<Compared> => {
    const found = await findCheckpoint(snapshot, base, checkpoint, signer);
    const restored = found === 'never' ? await restorationAfter(snapshot, checkpoint) : undefined;
    const revokedAt = found === 'deleted' ? await deletionKeyRevokedAt(snapshot, base, signer) : null;
    return { ...checkpoint, found, deletionKeyRevokedAt: revokedAt, ...(restored && { restored }) };
  };
}

function asJson({ base, head, rows, fault }: Verdict, compared: Compared | undefined) {
  return {
    whole: fault === undefined && (compared === undefined || troubleWith(compared, base.id) === undefined),
    rows,
    base,
    head,
    ...(fault === undefined ? {} : { fault }),
    ...(compared === undefined
      ? {}
      : {
          checkpoint: {
            ...compared,
            at: isoTime(compared.at),
            issuedAt: isoTime(compared.issuedAt),
            keyRevokedAt: isoTime(compared.keyRevokedAt),
            deletionKeyRevokedAt: isoTime(compared.deletionKeyRevokedAt),
            ...(compared.restored && { restored: { ...compared.restored, at: isoTime(compared.restored.at) } }),
          },
        }),
  };
}

function asText({ base, head, rows }: Verdict, compared: Compared | undefined): string {
  const lines =
    rows === 0
      ? ['The audit trail is whole. It has no rows.']
      : [`The audit trail is whole: ${rows === 1 ? '1 row' : `${rows} rows`}, from ${base.id + 1} to ${head.id}`];
  if (rows > 0) lines.push(`  Last hash    ${head.hash}`);
  if (base.id > 0) lines.push(`  Deleted      rows 1 to ${base.id}, for their age`);
  if (compared !== undefined) {
    const since = new Date(compared.issuedAt).toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'short' });
    const what = compared.found === 'present' ? 'is unchanged' : 'was deleted for its age, by this server';
    lines.push(`  Checkpoint   row ${compared.id} ${what} (signed on ${since})`);
    const signed = [
      ["the checkpoint's", compared.keyRevokedAt],
      ["the deletion's", compared.deletionKeyRevokedAt],
    ] as const;
    for (const [whose, revokedAt] of signed) {
      if (revokedAt === null) continue;
      lines.push(
        `  Warning      ${whose} key was revoked on ${inFull(revokedAt)}: whoever had the key can have signed it`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

/** What a checkpoint shows to be wrong, in words. */
function troubleWith({ found, id, at, restored }: Compared, baseId: number): string | undefined {
  switch (found) {
    case 'never':
      if (restored !== undefined) {
        const { lastId } = restored;
        return `The checkpoint's row ${id} is not there: the database was restored on ${inFull(restored.at)} from a backup that ended with row ${lastId}.`;
      }
      return `The audit trail never had the checkpoint's row ${id}, or somebody removed it.`;
    case 'deletion-unsigned':
      return `The audit trail's rows 1 to ${baseId} were deleted, and this server has not signed that.`;
    case 'deleted-early':
      return `The checkpoint's row ${id}, of ${inFull(at)}, was deleted for its age, but is not that old.`;
    default:
      return undefined;
  }
}

function inWords({ kind, id, writtenAs }: Fault): string {
  switch (kind) {
    case 'changed':
      return `Row ${id} of the audit trail was changed: it is not what the server wrote after the row before.`;
    case 'missing':
      return `Row ${id} of the audit trail is missing.`;
    case 'added':
      return `Row ${id} of the audit trail was added: the server did not write it there.`;
    case 'reordered':
      return `Row ${id} of the audit trail was moved: the server wrote it as row ${writtenAs}.`;
    case 'head':
      return `The audit trail does not end as recorded, at row ${id}.`;
    case 'base':
      return `The audit trail does not begin where the server's last deletion ended: after row ${id}.`;
  }
}

function broken(what: string, restored?: Restoration): Problem {
  return new Problem({
    kind: 'audit-broken',
    what,
    why: restored
      ? `Row ${restored.id} says so. If nobody restored it then, somebody has removed the rows and written that one.`
      : 'Somebody changed the database with a program other than Vouch, or its disk damaged it.',
    fix: 'Keep a copy of it as it is, and compare it with your backups and checkpoints.',
  });
}

/** What `audit checkpoint` has printed, with or without --json. */
async function readFile(file: string): Promise<string> {
  const text = (await readInput('--checkpoint', file, LONGEST)).toString().trim();
  if (!text.startsWith('{')) return text;
  try {
    return String(Object(JSON.parse(text)).checkpoint);
  } catch {
    return '';
  }
}
