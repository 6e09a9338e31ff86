import { isMet, type Row, type Target } from './bench.ts';
import type { Spread } from './harness.ts';

const header = ['what', 'against', 'ours', 'peer', 'measured', 'target', 'met'];

/** The rows as a text table: medians, with the two quartiles in brackets. */
export function table(rows: readonly Row[]): string {
  const cells = [header, ...rows.map(line)];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const notes = rows.flatMap(({ what, note }) => (note === undefined ? [] : [`${what}: ${note}`]));
  return `${[...lines, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n')}\n`;
}

function line(row: Row): string[] {
  const met = isMet(row);
  const { sides = 'ms', target } = row;
  return [
    row.what,
    row.against,
    row.ours ? spreadText(row.ours, sides) : '',
    row.peer ? spreadText(row.peer, sides) : '',
    row.measured ? spreadText(row.measured, target.unit) : '',
    targetText(row.target),
    met === undefined ? `left out: ${row.leftOut ?? ''}` : met ? 'yes' : 'no',
  ];
}

export const targetText = ({ bound, value, unit }: Target) => `${bound} ${value} ${unit}`;

/** A figure with about three significant digits. */
export const figure = (value: number) =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);

function spreadText({ median, low, high }: Spread, unit: Target['unit'] | 'MB'): string {
  if (unit === 'errors') return `${median} ${unit}`;
  const range = low === high ? '' : ` (${figure(low)}–${figure(high)})`;
  return `${figure(median)} ${unit}${range}`;
}
