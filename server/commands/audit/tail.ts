import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Row } from '../../audit/rows.ts';
import { writeOutput } from '../../process/write-output.ts';
import { administer } from '../administer.ts';
import { wholeNumber } from '../list-options.ts';
import { rowLine } from './line.ts';

const POLL_MS = 1_000;

/** Rows that are read at a time. */
const BATCH = 500;

interface TailOptions {
  follow?: boolean;
  lines: number;
  json?: boolean;
}

/** `vouch-server audit tail` */
export function addTail(audit: Command): void {
  audit
    .command('tail')
    .description('print the last events, and with -f what comes then')
    .option('-f, --follow', 'go on with new events, until Ctrl-C')
    .option('-n, --lines <number>', 'how many to begin with', wholeNumber(0, 1_000), 20)
    .option('--json', 'print each as JSON, one a line')
    .action(tail);
}

async function tail({ follow = false, lines, json = false }: TailOptions): Promise<void> {
  const interrupted = new AbortController();
  let signal: NodeJS.Signals | undefined;
  const stop = (received: NodeJS.Signals) => {
    signal = received;
    interrupted.abort();
  };
  await administer(async ({ store }) => {
    const { currentHead } = await import('../../audit/checkpoint.ts');
    const { rowJson } = await import('../../audit/json.ts');
    const { rowsAfter } = await import('../../audit/rows.ts');
    const asLine = json ? (row: Row) => `${JSON.stringify(rowJson(row))}\n` : rowLine;
    // From here on the database is closed before the command ends.
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stop);
    let cursor = Math.max(0, (await currentHead(store)).id - lines);
    while (signal === undefined) {
      const rows = await rowsAfter(store, cursor, BATCH);
      if (rows.length > 0) await writeOutput(rows.map(asLine).join(''));
      cursor = rows.at(-1)?.id ?? cursor;
      if (rows.length === BATCH) continue;
      if (!follow) break;
      await sleep(POLL_MS, undefined, { signal: interrupted.signal }).catch(() => {});
    }
  });
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.removeListener(name, stop);
  // As without a listener, so that the shell knows.
  if (signal !== undefined) process.kill(process.pid, signal);
}
