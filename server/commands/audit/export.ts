import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Gap } from '../../audit/export.ts';
import type { Row } from '../../audit/rows.ts';
import { saveMemory } from '../../process/save-memory.ts';
import { writeOutput } from '../../process/write-output.ts';
import { version } from '../../version.ts';
import { administer } from '../administer.ts';
import { wholeNumber } from '../list-options.ts';

interface ExportOptions {
  since: number;
  format: 'jsonl' | 'ocsf';
  limit?: number;
}

/** `vouch-server audit export` */
export function addExport(audit: Command): void {
  audit
    .command('export')
    .description('print all events after a cursor, one JSON object a line, the oldest first')
    .requiredOption('--since <cursor>', 'the number (id) of the last event that you have; 0 for all', cursor)
    .addOption(new Option('--format <format>', 'what to print').choices(['jsonl', 'ocsf']).default('jsonl'))
    .option('--limit <number>', 'how many at most', wholeNumber(1, 999_999))
    .addHelpText(
      'after',
      `
ocsf prints events of the Open Cybersecurity Schema Framework (schema.ocsf.io), in which the number is metadata.uid.
The last complete line's number is the next cursor: nothing comes twice, and nothing is left out, whatever is written meanwhile.`,
    )
    .action(exportTrail);
}

function cursor(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It should be an event's number, or 0 (`audit list` takes times).");
}

async function exportTrail({ since, format, limit }: ExportOptions): Promise<void> {
  saveMemory();
  await administer(async ({ store, installation: { issuer } }) => {
    const { exportRows } = await import('../../audit/export.ts');
    const { rowJson } = await import('../../audit/json.ts');
    const { rowOcsf } = await import('../../audit/ocsf.ts');
    const asJson = format === 'ocsf' ? (row: Row) => rowOcsf(row, { issuer, version }) : rowJson;
    for await (const { rows, gaps } of exportRows(store, since, limit)) {
      for (const gap of gaps) process.stderr.write(`vouch-server: ${inWords(gap)}\n`);
      await writeOutput(rows.map((row) => `${JSON.stringify(asJson(row))}\n`).join(''));
    }
  });
}

function inWords({ fromId, toId, deleted }: Gap): string {
  const rows = fromId === toId ? `Row ${fromId}` : `Rows ${fromId} to ${toId}`;
  if (deleted) return `${rows} had been deleted for their age before this export.`;
  const missing = fromId === toId ? 'is' : 'are';
  return `${rows} should be here and ${missing} missing: run \`vouch-server audit verify\`.`;
}
