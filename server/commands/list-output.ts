import { type Column, table, tableWidth } from '../text/table.ts';
import { printJson } from './administer.ts';

/**
 * Prints a page as a table, and how to go on.
 *
 * @param none what to say when there is nothing
 */
export function printTable<Row>(
  { rows, next }: { rows: Row[]; next: string | null },
  columns: readonly Column<Row>[],
  none: string,
): void {
  process.stdout.write(rows.length === 0 ? `${none}\n` : table(columns, rows, tableWidth()));
  // For the person, not for a program that reads the table.
  if (next !== null) process.stderr.write(`There are more. The same command goes on with --after ${next}\n`);
}

/** Prints a page as one JSON document. */
export function printPage(name: string, rows: unknown[], next: string | null): void {
  printJson({ [name]: rows, next });
}
