import { styleText } from 'node:util';
import { hang } from '../text/hang.ts';
import { printable } from '../text/printable.ts';
import type { Check, CheckId, Finding, Result } from './check.ts';

export interface Looks {
  /** Whether colours are understood and wanted. */
  colour: boolean;
  /** The width of the terminal, in characters. */
  columns: number;
}

/** The shapes alone are enough to tell the results apart; colours only repeat that. */
const symbols = { ok: '✓', warning: '!', failed: '✗', 'not-tried': '-' } as const;
const colours = { ok: 'green', warning: 'yellow', failed: 'red', 'not-tried': 'dim' } as const;

/** Whether and how a stream shows text: no colours in a file, with NO_COLOR (no-color.org) or on a dumb terminal. */
export function looksOf(stream: { isTTY?: boolean; columns?: number }, env: NodeJS.ProcessEnv): Looks {
  const colour = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  return { colour, columns: Math.max(40, Math.min(stream.columns || 80, 120)) };
}

/** A result as lines for a person: the check's own line, then details and findings, indented. */
export function resultText(result: Result, titles: Titles, looks: Looks): string {
  const paint = painter(looks);
  const symbol = paint(colours[result.status], symbols[result.status]);
  const head = `${symbol} ${paint('bold', result.title.padEnd(titles.width))}  `;
  if (result.status === 'not-tried') {
    const waiting = `not tried: needs ${result.waitsFor.map((id) => titles.of(id)).join(', ')}`;
    return `${hang(head, paint('dim', waiting), looks.columns)}\n`;
  }
  const lines = [hang(head, printable(result.says), looks.columns)];
  const indent = ' '.repeat(titles.width + 4);
  for (const detail of result.details ?? []) lines.push(paint('dim', hang(indent, printable(detail), looks.columns)));
  for (const [index, finding] of result.findings.entries()) {
    // Each has several lines, and a blank one tells where the next begins.
    if (index > 0) lines.push('');
    lines.push(...findingLines(finding, result.says, looks));
  }
  return `${lines.join('\n')}\n`;
}

function findingLines(finding: Finding, said: string, looks: Looks): string[] {
  const paint = painter(looks);
  const lines = [...(finding.what === said ? [] : [finding.what]), ...(finding.why ?? [])].map((text) =>
    hang('    ', printable(text), looks.columns),
  );
  for (const step of finding.steps ?? []) lines.push(hang(`  ${paint('cyan', '→')} `, printable(step), looks.columns));
  return lines;
}

/** The checks' titles, and the width of the widest one. */
export interface Titles {
  width: number;
  of(id: CheckId): string;
}

export function titlesOf(checks: readonly Check[]): Titles {
  return {
    width: Math.max(...checks.map(({ title }) => title.length)),
    of: (id) => checks.find((check) => check.id === id)?.title ?? id,
  };
}

/** The last line, which sums up. */
export function summaryText(results: readonly Result[], target: string | undefined, looks: Looks): string {
  const count = (status: Result['status']) => results.filter((result) => result.status === status).length;
  const failed = count('failed');
  const paint = painter(looks);
  const parts: string[] = [];
  if (failed === 0) {
    parts.push(
      paint('green', target === undefined ? 'All is well here.' : 'All is well: Git can pull from it and push to it.'),
    );
  } else {
    parts.push(paint('red', `${failed} of ${results.length} checks failed.`));
  }
  const warnings = count('warning');
  if (warnings > 0) parts.push(warnings === 1 ? 'There is 1 warning.' : `There are ${warnings} warnings.`);
  const notTried = count('not-tried');
  if (notTried > 0) parts.push(`${notTried} ${notTried === 1 ? 'was' : 'were'} not tried.`);
  if (target === undefined) parts.push('To check the way to a repository: `vouch doctor` with its URL.');
  return hang('', parts.join(' '), looks.columns);
}

function painter({ colour }: Looks) {
  return (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
}
