import { textWidth } from '../text/width.ts';

/** One of a list's things, in both forms: as a row of a table, and as lines of its own. */
export interface Listed {
  cells: readonly string[];
  /** The first line is the heading, the others are indented. */
  lines: readonly string[];
}

/**
 * A list for people: a table if the terminal is wide enough for it, otherwise a few lines for each thing. Nothing is cut off: a name on
 * the screen is the whole name.
 *
 * @param titles the columns' titles. Cells beyond them have none
 * @param width the terminal's width in columns; undefined for something else than a terminal, which gets the table
 * @returns the text, with a line break at its end
 */
export function listing(titles: readonly string[], list: readonly Listed[], width: number | undefined): string {
  const table = tableOf([titles, ...list.map(({ cells }) => cells)]);
  const fits = width === undefined || table.every((line) => textWidth(line) <= width);
  const lines = fits ? table : list.flatMap(({ lines: [heading = '', ...rest] }) => [heading, ...rest.map(indented)]);
  return lines.map((line) => `${line}\n`).join('');
}

function tableOf(rows: readonly (readonly string[])[]): string[] {
  const count = Math.max(...rows.map(({ length }) => length));
  const widths = Array.from({ length: count }, (_, at) => Math.max(...rows.map((row) => textWidth(row[at] ?? ''))));
  return rows.map((row) =>
    row
      .map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - textWidth(cell)))
      .join('  ')
      .trimEnd(),
  );
}

function indented(line: string): string {
  return `  ${line}`;
}
