import { readContent } from '../backup/content.ts';
import { readSigningInstallation } from '../config/config.ts';
import { Problem } from '../problem/problem.ts';
import { saveMemory } from '../process/save-memory.ts';
import { hasSigningKey } from '../signing/key-rows.ts';
import type { Archiving } from '../store/engine.ts';
import { count } from '../text/count.ts';
import { isoTime } from '../text/iso-time.ts';
import { inFull } from '../text/time.ts';
import { administer, printJson } from './administer.ts';
import { withKeyRing } from './key-ring.ts';

/**
 * Checks that the database is whole: one that was restored for a trial, or the server's own.
 *
 * @throws Problem `audit-broken` when its audit trail does not fit together, or what opening its signing key throws
 */
export async function checkBackup(json: boolean): Promise<void> {
  saveMemory();
  const settings = readSigningInstallation(process.env);
  await administer(async (administration) => {
    const { store, installation } = administration;
    const content = await readContent(store);
    // Without a key, reading them would make one.
    const key = (await hasSigningKey(store))
      ? await withKeyRing(administration, settings, async (keys) => keys.current().kid)
      : undefined;
    const archiving = await installation.database.archiving?.(store);
    const { people, keys, trail, lastRowAt } = content;
    const whole = trail.fault === undefined;
    if (json) {
      printJson({
        database: installation.database.name,
        issuer: content.issuer,
        whole,
        people,
        keys,
        auditRows: trail.rows,
        lastId: trail.head.id,
        lastHash: trail.head.hash,
        lastRowAt: isoTime(lastRowAt),
        signingKey: key ?? null,
        archiving: archiving
          ? { on: archiving.on, lastAt: isoTime(archiving.lastAt), failingSince: isoTime(archiving.failingSince) }
          : null,
      });
    }
    if (!whole) {
      throw new Problem({
        kind: 'audit-broken',
        what: `The audit trail in ${installation.database.name} does not fit together: at row ${trail.fault?.id}.`,
        fix: 'Restore another backup.',
      });
    }
    if (json) return;
    const lines = [
      `This is a whole database of ${content.issuer}`,
      `  Database     ${installation.database.name}`,
      `  Contains     ${count(people, 'person', 'people')}, ${count(keys, 'key')}, ${count(trail.rows, 'audit row')}`,
      ...(lastRowAt === null ? [] : [`  Last row     ${trail.head.id}, of ${inFull(lastRowAt)}`]),
      `  Signing key  ${key === undefined ? 'none yet' : `${key.slice(0, 10)}, which this server can use`}`,
      ...(archiving === undefined ? [] : [`  Archiving    ${archivingText(archiving)}`]),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  });
}

function archivingText({ on, lastAt, failingSince }: Archiving): string {
  if (!on) return 'off: unless somebody else sees to it, this database can only go back to its dumps';
  if (failingSince !== null) return `failing, last on ${inFull(failingSince)}`;
  return lastAt === null ? 'on; nothing was archived yet' : `on, last on ${inFull(lastAt)}`;
}
