import { forLog } from './readable-text.ts';

/** A column of a table. */
export interface Column<Row> {
  head: string;
  cell: (row: Row) => string;
  /** Whether a long text may be shortened, as a name for people may be, but never what a command takes. */
  shorten?: boolean;
}

/** No column gets narrower than this. */
const NARROWEST = 8;

const GAP = '  ';

/**
 * A table for a terminal, without colours, each line with a line end. If it is too wide, texts that may be shortened end with `…`, and
 * then a long first cell has a line of its own.
 *
 * @param width how many characters fit on a line
 */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string {
  const lines = [columns.map(({ head }) => head), ...rows.map((row) => columns.map(({ cell }) => forLog(cell(row))))];
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => widthOf(cells[index] ?? ''))));
  const tooWide = () => widths.reduce((sum, one) => sum + one + GAP.length, -GAP.length) - width;
  while (tooWide() > 0) {
    const widest = columns
      .map((column, index) => ({ index, width: column.shorten ? (widths[index] ?? 0) : 0 }))
      .reduce((best, next) => (next.width > best.width ? next : best));
    if (widest.width <= NARROWEST) break;
    widths[widest.index] = widest.width - 1;
  }
  if (tooWide() > 0) widths[0] = Math.max(NARROWEST, (widths[0] ?? 0) - tooWide());
  return lines.map((cells) => `${lineOf(cells, columns, widths)}\n`).join('');
}

function lineOf(cells: string[], columns: readonly Column<never>[], widths: number[]): string {
  const [first = '', ...others] = cells.map((cell, index) => {
    const width = widths[index] ?? 0;
    const text = columns[index]?.shorten ? shortened(cell, width) : cell;
    return text + ' '.repeat(Math.max(0, width - widthOf(text)));
  });
  const [firstWidth = 0] = widths;
  const start = widthOf(first) > firstWidth ? `${first}\n${' '.repeat(firstWidth)}` : first;
  return [start, ...others].join(GAP).trimEnd();
}

function shortened(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let short = '';
  for (const character of text) {
    if (widthOf(short + character) >= width) break;
    short += character;
  }
  return `${short}…`;
}

/** How many columns of a terminal a text takes: accents none, East Asian letters and emoji two. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}

/** How wide tables are: as the terminal, but 80 columns at least, and for a program too. */
export function tableWidth(): number {
  return Math.max(80, process.stdout.columns ?? 80);
}
