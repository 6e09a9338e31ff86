import type { Command } from 'commander';
import { readSigningSchedule } from '../../config/config.ts';
import { readKmsPlace } from '../../kms/key-arn.ts';
import { arePublishedElsewhere, type Issuers } from '../../public-documents/documents.ts';
import { SHORT_KID } from '../../signing/find-key.ts';
import { DATABASE, type KeyRow } from '../../signing/key-rows.ts';
import type { Store } from '../../store/store.ts';
import { isoTime } from '../../text/iso-time.ts';
import type { Column } from '../../text/table.ts';
import { shortTime } from '../../text/time.ts';
import { administer, printJson } from '../administer.ts';
import { printTable } from '../list-output.ts';

/** `vouch-server signing-keys list` */
export function addListKeys(keys: Command): void {
  keys
    .command('list')
    .description('list the keys that sign, will sign, and have signed, each with where its private half is')
    .option('--json', 'print JSON')
    .action(list);
}

/** A key with when its state began and will end, in milliseconds since the epoch. */
interface ListedKey extends KeyRow {
  since: number;
  until: number | null;
}

async function list({ json = false }: { json?: boolean }): Promise<void> {
  const schedule = readSigningSchedule(process.env);
  await administer(async ({ store, installation }) => {
    const { allRows } = await import('../../signing/key-rows.ts');
    const { stateUntil } = await import('../../signing/rotation/schedule.ts');
    const now = Date.now();
    const rows = (await allRows(store)).map((row) => ({
      ...row,
      since: sinceOf(row),
      until: stateUntil(row, schedule) ?? null,
    }));
    if (json) printJson({ keys: rows.map(asJson) });
    else {
      printTable(
        { rows, next: null },
        columns(now),
        'There is no signing key yet: the first start of the server makes one.',
      );
      await sayIfUnpublished(store, installation, rows);
    }
  });
}

/** A next key waits until AWS finds it. */
async function sayIfUnpublished(store: Store, issuers: Issuers, rows: readonly KeyRow[]): Promise<void> {
  const next = rows.find(({ state }) => state === 'next');
  if (next === undefined || !arePublishedElsewhere(issuers)) return;
  const { loadFound } = await import('../../public-documents/found.ts');
  const found = await loadFound(store, issuers.awsIssuer);
  if (found?.read?.keys[next.kid] !== undefined) return;
  const kid = next.kid.slice(0, SHORT_KID);
  process.stderr.write(`${kid} waits until a server has seen it at ${issuers.awsIssuer}: vouch-server publish DIR\n`);
}

function sinceOf(row: KeyRow): number {
  const began = { next: row.published_at, current: row.current_at, previous: row.previous_at, gone: row.gone_at };
  return began[row.state] ?? row.created_at;
}

function columns(now: number): Column<ListedKey>[] {
  return [
    { head: 'KID', cell: ({ kid }) => kid.slice(0, SHORT_KID) },
    { head: 'STATE', cell: ({ state, revoked_at }) => (revoked_at === null ? state : 'revoked') },
    { head: 'SINCE', cell: ({ since }) => shortTime(since, now) },
    { head: 'UNTIL', cell: ({ until }) => (until === null ? '' : shortTime(until, now)) },
    { head: 'PRIVATE HALF', cell: privateHalf, shorten: true },
  ];
}

/** Where the private half is. The database keeps that of a key that signs no more no longer. */
function privateHalf({ source, state }: KeyRow): string {
  if (source !== DATABASE) return readKmsPlace(source)?.arn ?? source;
  return state === 'next' || state === 'current' ? DATABASE : 'deleted';
}

function asJson({ kid, state, source, since, until, ...row }: ListedKey) {
  return {
    kid,
    state,
    since: isoTime(since),
    until: isoTime(until),
    source,
    createdAt: isoTime(row.created_at),
    publishedAt: isoTime(row.published_at),
    signsFrom: isoTime(row.signs_from),
    currentAt: isoTime(row.current_at),
    previousAt: isoTime(row.previous_at),
    goneAt: isoTime(row.gone_at),
    revokedAt: isoTime(row.revoked_at),
  };
}
