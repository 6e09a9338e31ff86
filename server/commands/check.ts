import type { Command } from 'commander';
import type { CheckId, Finding, Result } from '../check/result.ts';
import { Problem } from '../problem/problem.ts';
import { count } from '../text/count.ts';
import { forTerminal } from '../text/readable-text.ts';
import { printJson } from './administer.ts';

/** `vouch-server check` */
export function addCheck(program: Command): void {
  program
    .command('check')
    .description('check settings, database, keys, clock, proxy, and what AWS reads; it changes nothing')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
The server may run or be down. Give it the server's settings. It ends with 0 if nothing has failed, and with 1 otherwise; a warning is no
failure.`,
    )
    .action(check);
}

async function check({ json = false }: { json?: boolean }): Promise<void> {
  const { examine } = await import('../check/examine.ts');
  const results = await examine(process.env, Date.now());
  const failed = results.filter(({ status }) => status === 'failed').length;
  if (json) printJson({ ok: failed === 0, checks: results });
  else process.stdout.write(forTerminal(results.map(textOf).join('')));
  if (failed === 0) return;
  throw new Problem({ kind: 'check-failed', what: `${count(failed, 'check')} of ${results.length} failed.` });
}

const TITLES: Record<CheckId, string> = {
  settings: 'Settings',
  database: 'Database',
  issuer: 'Issuer',
  'signing-keys': 'Signing keys',
  clock: 'Clock',
  'public-documents': 'What AWS reads',
  proxy: 'Proxy',
};

const SIGNS: Record<Result['status'], string> = { ok: '✓', warning: '!', failed: '✗', 'not-tried': '-' };

const WIDTH = Math.max(...Object.values(TITLES).map(({ length }) => length));

function textOf({ check, status, says, findings }: Result): string {
  return [`${SIGNS[status]} ${TITLES[check].padEnd(WIDTH)}  ${says}\n`, ...findings.map(findingText)].join('');
}

function findingText({ severity, what, why, fix }: Finding): string {
  return [
    `    ${severity === 'warning' ? 'Warning: ' : ''}${what}\n`,
    why === undefined ? '' : `    ${why}\n`,
    fix === undefined ? '' : `  → ${fix}\n`,
  ].join('');
}
