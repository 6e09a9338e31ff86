import { printable } from '../text/printable.ts';

/** A line that only one of two texts has. A line with a blank as its sign is in both: it is the heading of the next lines' section. */
export interface ChangedLine {
  sign: '-' | '+' | ' ';
  line: string;
}

/**
 * The lines to remove from one text and to add to get the other, as few as possible (the longest common subsequence stays). A change
 * within a section of a configuration file comes under that section's heading. The same line in another section counts as a different
 * line, because it means something else there.
 */
export function lineDiff(before: string, after: string): ChangedLine[] {
  const a = lines(before);
  const b = lines(after);
  let start = 0;
  while (start < a.length && start < b.length && same(a[start], b[start])) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && same(a.at(-1 - end), b.at(-1 - end))) end++;
  const old = a.slice(start, a.length - end);
  const fresh = b.slice(start, b.length - end);

  // common[i][j]: how many lines the rests from i and from j on have in common.
  const common = Array.from({ length: old.length + 1 }, () => new Uint32Array(fresh.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    const row = common[i] ?? [];
    for (let j = fresh.length - 1; j >= 0; j--) {
      row[j] = same(old[i], fresh[j]) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const changes: ChangedLine[] = [];
  let heading = a.slice(0, start).findLast(({ text }) => isHeading(text))?.text;
  const change = (sign: '-' | '+', { text = '' }: Partial<Line> = {}) => {
    if (isHeading(text)) heading = undefined;
    else if (heading !== undefined && text.trim() !== '') {
      changes.push({ sign: ' ', line: heading });
      heading = undefined;
    }
    changes.push({ sign, line: text });
  };
  for (let i = 0, j = 0; i < old.length || j < fresh.length; ) {
    if (i < old.length && same(old[i], fresh[j])) {
      const { text } = fresh[j] as Line;
      if (isHeading(text)) heading = text;
      i++;
      j++;
    } else if (i < old.length && (j === fresh.length || at(i + 1, j) >= at(i, j + 1))) {
      change('-', old[i++]);
    } else {
      change('+', fresh[j++]);
    }
  }
  return changes;
}

/** A changed line for a person: with its sign, and with a leading tab as four blanks. */
export function shownLine({ sign, line }: ChangedLine): string {
  const indent = line.startsWith('\t') ? '    ' : '';
  return `${sign} ${indent}${printable(line.replace(/[\r\t]/g, ' '), 10_000)}`.trimEnd();
}

interface Line {
  text: string;
  /** The heading of the line's section; for a heading, the heading itself. */
  section: string;
}

function same(one: Line | undefined, other: Line | undefined): boolean {
  return one?.text === other?.text && one?.section === other?.section;
}

function lines(text: string): Line[] {
  const all = text.split('\n');
  let section = '';
  return (all.at(-1) === '' ? all.slice(0, -1) : all).map((line) => {
    if (isHeading(line)) section = line;
    return { text: line, section };
  });
}

function isHeading(line: string): boolean {
  return /^\s*\[/.test(line);
}
