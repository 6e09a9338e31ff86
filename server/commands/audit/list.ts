import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AuditEvent, EVENTS } from '../../audit/events.ts';
import type { AuditFilter } from '../../audit/list.ts';
import type { Window } from '../../audit/windows.ts';
import { normalizeEmail } from '../../people/email.ts';
import { isoTime } from '../../text/iso-time.ts';
import { readMoment } from '../../text/moment.ts';
import { administer, printJson } from '../administer.ts';
import { wholeNumber } from '../list-options.ts';
import { rowLine, windowLine } from './line.ts';

const MOST = 1_000;

const USUAL = 50;

interface AuditListOptions extends AuditFilter {
  limit: number;
  json?: boolean;
}

/** `vouch-server audit list` */
export function addList(audit: Command): void {
  audit
    .command('list')
    .description('list the latest events, the newest last')
    .option('--since <time>', 'only events from then on', moment)
    .option('--until <time>', 'only events before that time', moment)
    .option('--person <email>', 'only what concerns this person, or what they did', normalizeEmail)
    .addOption(new Option('--event <event>', 'only this event').choices(Object.keys(EVENTS)))
    .option('--actor <actor>', 'only what this actor did: an address, cli:<system user>, server or unknown')
    .option('--limit <number>', `how many at most, up to ${MOST}`, wholeNumber(1, MOST), USUAL)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
A time is 90m, 24h, 7d or 2w (ago), or one like 2026-11-26, "2026-11-26 10:42" (in this time zone) and 2026-11-26T10:42Z.

Examples:
  vouch-server audit list --since 24h
  vouch-server audit list --person alice@example.com --event aws-token-issued
  vouch-server audit list --actor cli:root --since 2026-11-01 --json`,
    )
    .action(list);
}

function moment(text: string): number {
  const at = readMoment(text, Date.now());
  if (at === undefined)
    throw new InvalidArgumentError('It should look like 24h or 7d (ago), 2026-11-26 or 2026-11-26T10:42Z.');
  return at;
}

async function list({ limit, json = false, ...filter }: AuditListOptions): Promise<void> {
  await administer(async ({ store }) => {
    const { rowJson } = await import('../../audit/json.ts');
    const { listAudit } = await import('../../audit/list.ts');
    const { openWindows } = await import('../../audit/windows.ts');
    const rows = await listAudit(store, filter, limit + 1);
    const older = rows.length > limit;
    const latest = rows.slice(-limit);
    const windows = (await openWindows(store)).filter((window) => fits(window, filter)).slice(-limit);
    if (json) {
      printJson({ events: latest.map(rowJson), counting: windows.map(windowJson), older });
      return;
    }
    process.stdout.write([...latest.map(rowLine), ...windows.map(windowLine)].join(''));
    if (rows.length + windows.length === 0) process.stderr.write('No such events.\n');
    if (older) process.stderr.write('There are older ones: --until lists them, and `audit export` all.\n');
  });
}

/** Whether a window is what a list asks for: it will be such a row. */
function fits({ event, email, last_at }: Window, filter: AuditFilter): boolean {
  const at = Number(last_at);
  return (
    (filter.since ?? 0) <= at &&
    at < (filter.until ?? Number.POSITIVE_INFINITY) &&
    (filter.person ?? email) === email &&
    (filter.event ?? event) === (event as AuditEvent) &&
    (filter.actor ?? 'unknown') === 'unknown'
  );
}

function windowJson({ event, problem, email, key_id, count, began_at, last_at, last_ip }: Window) {
  return {
    event,
    reason: problem,
    subject: email || null,
    keyId: key_id || null,
    ip: last_ip,
    count: Number(count),
    since: isoTime(Number(began_at)),
    lastAt: isoTime(Number(last_at)),
  };
}
